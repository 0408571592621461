# SPDX-License-Identifier: GPL-2.0-only
#
# How sure is it that a commit is the first bad one?  The probability of that, in percent,
# given all runs on all commits.  No commit of the range is likelier than another before
# the first run.  A kernel with the bug fails a run with one probability, a kernel without
# with another; both are unknown (Jeffreys' prior), and are summed over.
#
#	awk -v found=COMMIT -f confidence.awk RUNS RANGE...
#
# RUNS has a line "COMMIT KERNEL FAILED PASSED" for each tested commit, with all runs of its
# kernel; the others are named after a tested commit each and list those of the range that
# it contains.

# The logarithm of the gamma function for x > 0, by Stirling's series.
function lgamma(x,   shift) {
	for (shift = 0; x < 10; x++)
		shift -= log(x)
	return shift + (x - 0.5) * log(x) - x + log(8 * atan2(1, 1)) / 2 + 1 / (12 * x) - 1 / (360 * x^3)
}

function lbeta(a, b) {
	return lgamma(a) + lgamma(b) - lgamma(a + b)
}

FNR == 1 {
	tested = FILENAME
	sub(/.*\//, "", tested)
}

NR == FNR {
	kernel[$1] = $2
	failed[$2] = $3
	passed[$2] = $4
	next
}

# Who is contained in the same tested commits is as likely.
{
	class[$1] = class[$1] " " tested
}

# The logarithm of how likely all runs are when these commits have the bug.
function likelihood(commits,   n, i, member, has, k, f, p, g, q) {
	n = split(commits, member, " ")
	for (i = 1; i <= n; i++)
		has[kernel[member[i]]]++
	for (k in failed) {
		if (k in has && has[k] != commits_of[k])
			return "impossible"
		if (k in has) {
			f += failed[k]
			p += passed[k]
		} else {
			g += failed[k]
			q += passed[k]
		}
	}
	return lbeta(f + 0.5, p + 0.5) + lbeta(g + 0.5, q + 0.5)
}

END {
	for (commit in kernel)
		commits_of[kernel[commit]]++
	for (commit in class)
		size[class[commit]]++
	for (c in size) {
		likely[c] = likelihood(c)
		if (likely[c] != "impossible" && (most == "" || likely[c] > most))
			most = likely[c]
	}
	for (c in size)
		if (likely[c] != "impossible")
			sum += size[c] * exp(likely[c] - most)
	c = class[found]
	printf "%.1f\n", likely[c] == "impossible" ? 0 : 100 * exp(likely[c] - most) / sum
}
