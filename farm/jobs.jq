# SPDX-License-Identifier: GPL-2.0-only
#
# Of the plan: jobs as job.sh wants them, each behind its name and a tab.  Those of $kernel,
# of which prepare.sh has said $got[0]; or when it has not been asked, those of all kernels
# that need no preparation.

.repeat as $repeat | INDEX(.kernels[]; .name) as $kernels | .jobs[] | $kernels[.kernel] as $of
| if $got != [] then
	select(.kernel == $kernel) | .commit = $got[0].commit | .kernel_words = $got[0].kernel_words[.machine]
elif $of.kind == "image" then
	.commit = null | .kernel_words = ["--kernel", $of.what]
elif $of.kind == "running" then
	.commit = null | .kernel_words = []
else
	empty
end
| {job, kernel, commit, words, kernel_words, $repeat, $tries, tried: 0, $push}
| "\(.job)\t\(tojson)"
