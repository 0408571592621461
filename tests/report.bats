#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# run_tests.sh report and --baseline: what is said of results, good and bad, beside what
# others say of the same: the kernel's KTAP parser, xmllint, a schema, sqlite3, a
# PostgreSQL server and a browser.

load common

setup_file()
{
	local real=$BATS_FILE_TMPDIR/real words=(deferred_ibpb_test.loaded_here_entered_there deferred_ibpb_test.alternating_runs)

	"$top/run_tests.sh" report --help >/dev/null
	"$top/tests/fuzz/corpus.sh" "$BATS_FILE_TMPDIR/corpus"
	# Two real runs for all: the reference, and a mutant that is compared with it.
	mkdir "$real"
	"$top/run_tests.sh" --vm --results "$real/reference" "${words[@]}" >/dev/null || :
	"$top/run_tests.sh" report baseline "$real/reference" -o "$real/baseline.json"
	code=0
	"$top/run_tests.sh" --vm --variant ibpb-posted-deferral --results "$real/mutant" --baseline "$real/baseline.json" \
		"${words[@]}" >"$real/stdout" || code=$?
	echo $code >"$real/code"
}

setup()
{
	cd "$BATS_TEST_TMPDIR" || return
	report=$out/report/report
	corpus=$BATS_FILE_TMPDIR/corpus
	real=$BATS_FILE_TMPDIR/real
}

# folder DIR [KTAP [EXIT_CODE [MACHINE [KERNEL [DATE]]]]]: a result folder, as run_tests.sh leaves it.
folder()
{
	mkdir -p "$1"
	cp "$corpus/${2:-good-pass}" "$1/ktap"
	printf 'console\n' >"$1/console.log"
	printf '{"machine": "%s", "variant": "%s", "kernel": "/x/vmlinux", "release": "7.3.4", "append": "a=b",
		"date": "%s", "seconds": 4.5, "exit_code": %d}' "${4:-m}" "${5:-k}" "${6:-2026-11-21T20:28:01Z}" "${3:-0}" >"$1/meta.json"
}

# results DIR KERNEL CASE=VERDICT...: a result folder with the test t, which has these cases.
results()
{
	local dir=$1 kernel=$2 word n=0 code=0

	shift 2
	[[ " $*" != *=[ftcme]* ]] || code=1
	folder "$dir" good-pass "$code" "${machine:-m}" "$kernel" "${date:-}"
	{
		printf 'KTAP version 1\n1..1\n  KTAP version 1\n  1..%d\n' $#
		for word; do
			n=$((n + 1))
			case ${word#*=} in
			pass) echo "  ok $n ${word%=*}" ;;
			skip) echo "  ok $n ${word%=*} # SKIP no such CPU" ;;
			fail) echo "  not ok $n ${word%=*} # 0, want 1" ;;
			timeout) echo "  not ok $n ${word%=*} # TIMEOUT 120 seconds" ;;
			crash) echo "  not ok $n ${word%=*} # ERROR crash: BUG" ;;
			missing) echo "  not ok $n ${word%=*} # ERROR missing: BUG" ;;
			error) echo "  not ok $n ${word%=*} # ERROR no emulator" ;;
			esac
		done
		if [ "$code" -eq 1 ]; then echo "not ok 1 t"; else echo "ok 1 t"; fi
	} >"$dir/ktap"
}

# store DIR...: all that is in a new store, "test.case verdict" in lines.
store()
{
	rm -f s.db
	"$report" --store s.db "$@" >/dev/null 2>&1 || :
	sqlite3 -separator ' ' s.db "SELECT test || CASE name WHEN '' THEN '' ELSE '.' || name END, verdict
		FROM outcome ORDER BY 1, 2"
}

# --- the command line

@test "report --help names every option and command" {
	run "$top/run_tests.sh" report --help
	[ "$status" -eq 0 ]
	for word in $(sed -n '/option options/,/};/s/.*{ "\([a-z-]*\)".*/--\1/p; /^	"summary"/s/[",]//gp' "$top/report/main.c"); do
		[[ $output == *"$word"* ]] || { echo "$word"; false; }
	done
}

@test "usage: exit 2, one line that says what is wrong" {
	folder r
	for args in "" "--bogus r" "html --only t r" "junit --baseline x r" "kcidb --origin A-B r" "--check x r" \
		"/no/such" "r/meta.json" "--store" "--baseline /no/such r" "baseline --check $corpus/good-pass"; do
		# shellcheck disable=SC2086
		run "$report" $args
		[[ $status -eq 2 && ${#lines[@]} -eq 1 && $output == kvm-witness:* ]] || { echo "$args: $status $output"; false; }
	done
	mkdir empty
	run "$report" empty
	[[ $status -eq 2 && $output == *"empty: no result folder there"* ]]
}

@test "exit codes are those of run_tests.sh" {
	for pair in good-pass:0 good-fail:1 good-crash:1 good-timeout:1 good-splat:1 good-skip:4 good-flat:1 cut-off:3; do
		folder "r/${pair%:*}" "${pair%:*}" "${pair#*:}"
		run "$report" "r/${pair%:*}"
		[ "$status" -eq "${pair#*:}" ] || { echo "$pair: $status $output"; false; }
	done
	# Our own fault is above all.
	run "$report" r
	[ "$status" -eq 3 ]
}

@test "output that cannot be written: exit 3, and no half of a file" {
	folder r
	for command in html junit kcidb lava sql baseline summary; do
		run bash -c "'$report' $command r >/dev/full"
		[[ $status -eq 3 && $output == *"stdout: cannot be written (disk full?)"* ]] || { echo "$command: $status $output"; false; }
	done
	run "$report" html r -o /no/such/page
	[ "$status" -eq 3 ]
	echo old >page
	# A file of 4 kB at most, as on a disk that is full.
	run bash -c "trap '' XFSZ; ulimit -f 4; '$report' html r -o page"
	[[ $status -eq 3 && $(cat page) = old && -z $(find . -name '*.tmp') ]]
}

# --- the reader

@test "the kernel's own KTAP parser says the same of good documents and of a real run" {
	kunit=$("$top/kernel/source.sh")/tools/testing/kunit/kunit.py
	for doc in "$corpus"/good-* "$real/mutant/ktap"; do
		rm -rf r
		mkdir r
		cp "$doc" r/ktap
		python3 "$kunit" parse --json="$PWD/kunit.json" "$PWD/r/ktap" >/dev/null || :
		jq -r '.. | objects | select(.test_cases) | .name as $test | .test_cases[] |
			"\(if $test == "KUnit Test Group" then "" else $test + "." end)\(.name) \(.status | ascii_downcase)"' \
			kunit.json | sort >theirs
		# It has but these words, and takes no notice of a test's verdict that its cases do not share.
		echo '{"machine": "m", "exit_code": 1}' >r/meta.json
		store r | sed 's/ crash$/ fail/; s/ timeout$/ fail/; s/ missing$/ fail/' >ours
		case $doc in
		*-splat) sed -i '/^a_test fail$/d' ours ;;
		*-skip) continue ;;
		esac
		diff ours theirs || { cat "$doc"; false; }
		[ -s theirs ]
	done
	grep -q fail theirs
	grep -q pass theirs
}

@test "bad documents: a problem, exit 3, and what is amiss is no pass" {
	for doc in "$corpus"/*; do
		doc=${doc##*/}
		[[ $doc != good-* ]] || continue
		folder "r/$doc" "$doc"
		run "$report" --store "$doc.db" "r/$doc"
		[ "$status" -eq 3 ] || { echo "$doc: $status $output"; false; }
		[[ $output == *"kvm-witness: "*"/r/$doc: "* ]] || { echo "$doc: $output"; false; }
		[ "$(sqlite3 "$doc.db" 'SELECT count(*) > 0 FROM problem')" -eq 1 ]
		# None says that all passed.
		"$report" junit "r/$doc" 2>/dev/null | grep -q '<error'
		"$report" kcidb "r/$doc" 2>/dev/null | jq -e 'any(.tests[]; .status == "MISS")'
	done
	[ "$(store r/cut-off)" = "$(printf '%s\n' "(cut off 1).(missing 2) missing" "(cut off 1).one error" "(missing 1 to 2) missing")" ]
	[ "$(store r/twice-the-name)" = "$(printf '%s\n' "a_test.one error" "b_test.one error")" ]
	[ "$(store r/lost-line)" = "$(printf '%s\n' "a_test.(missing 1) missing" "a_test.two skip" "b_test.(missing 1) missing" "b_test.two pass")" ]
	[ "$(store r/parent-lies)" = "$(printf '%s\n' "a_test.one fail" "a_test.two skip" "b_test.one fail" "b_test.two pass")" ]
	[ "$(store r/deep)" = "level0.level1 fail" ]
	# Nor when meta.json knows better.
	folder r/known good-pass 1
	run "$report" r/known
	[[ $status -eq 3 && $output == *"meta.json says that something failed, ktap does not"* ]]
}

@test "folders half written: nothing in them is a pass, all are MISS" {
	for what in no-meta no-end half-meta no-ktap; do
		folder "r/$what"
	done
	rm r/no-meta/meta.json r/no-ktap/ktap
	jq 'del(.exit_code)' r/no-end/meta.json >x
	mv x r/no-end/meta.json
	truncate -s 30 r/half-meta/meta.json
	mkdir -p "r/debian-6.1@x86-vmx"
	echo "the node died (3 tries)" >"r/debian-6.1@x86-vmx/infra"
	run "$report" r
	[ "$status" -eq 3 ]
	for why in "no-meta: meta.json: No such file" "no-end: the run did not end" "half-meta: meta.json: " \
		"no-ktap: ktap: No such file" "debian-6.1@x86-vmx: the node died (3 tries)"; do
		[[ $output == *"$why"* ]] || { echo "$why"; echo "$output"; false; }
	done
	[[ $output == *"5 runs, 5 of them amiss"* && $output == *"debian-6.1 (x86-vmx)"* ]]
	run ! grep -v error <(store r)
	"$report" kcidb r 2>/dev/null | jq -e '[.tests[].status] | unique == ["MISS"]'
	run bash -c "'$report' lava r 2>/dev/null | grep RESULT= | grep -v unknown"
	[ -z "$output" ]
	# Others have a meta.json as well.
	mkdir -p r2/other
	echo '{"name": "x"}' >r2/other/meta.json
	folder r2/ours
	run "$report" r2
	[[ $status -eq 0 && $output == *"1 runs, 0 of them amiss" ]]
}

# --- the store

@test "the store: kept, read once, and anew when a folder changes" {
	folder r/1
	folder r/2 good-fail 1
	"$report" --store s.db r || [ $? -eq 1 ]
	ids=$(sqlite3 s.db "SELECT group_concat(id) FROM run")
	"$report" --store s.db r r/1 || [ $? -eq 1 ]
	[ "$(sqlite3 s.db "SELECT group_concat(id) FROM run")" = "$ids" ]
	cp "$corpus/good-pass" r/2/ktap
	jq '.exit_code = 0' r/2/meta.json >x
	mv x r/2/meta.json
	"$report" --store s.db r
	[ "$(sqlite3 s.db "SELECT count(*), count(DISTINCT folder) FROM run")" = "2|2" ]
	[ "$(sqlite3 s.db "SELECT DISTINCT verdict FROM outcome ORDER BY 1")" = $'pass\nskip' ]
	# Of folders that are gone the store still knows.
	rm -r r/1
	run "$report" --store s.db
	[[ $status -eq 0 && $output == *"2 runs"* ]]
}

@test "the store: damaged, another program's, locked, full: exit 3 or 2, what to do, and it is as it was" {
	folder r
	head -c 8192 /dev/urandom >noise
	run "$report" --store noise r
	[[ $status -eq 3 && $output == *"noise: damaged, or no store: move it away and collect the result folders again"* ]]
	sqlite3 other.db "CREATE TABLE x (y)"
	run "$report" --store other.db r
	[[ $status -eq 2 && $output == *"other.db: a database, but not one of ours"* ]]
	run "$report" --store /no/such/s.db r
	[[ $status -eq 3 && ${#lines[@]} -eq 1 ]]

	"$report" --store s.db r
	sum=$(sqlite3 s.db .dump | md5sum)
	for n in $(seq 50); do folder "more/$n"; done
	run bash -c "trap '' XFSZ; ulimit -f $(($(stat -c %s s.db) / 1024 + 8)); '$report' --store s.db more"
	[[ $status -eq 3 && $output == *"s.db: "*"(disk full?): the result folders are as they were"* ]] || { echo "$output"; false; }
	[ "$(sqlite3 s.db .dump | md5sum)" = "$sum" ]
	"$report" --store s.db more
}

@test "the store: a writer that waits for another one; all results are in it once" {
	for n in $(seq 60); do folder "r/$n"; done
	pids=()
	for n in 1 2 3 4; do
		"$report" --store s.db r >/dev/null &
		pids+=($!)
	done
	for pid in "${pids[@]}"; do wait "$pid"; done
	[ "$(sqlite3 s.db "SELECT count(*) FROM run")" -eq 60 ]
	[ "$(sqlite3 s.db "SELECT count(*) FROM outcome")" -eq 240 ]
}

@test "a nightly run that is under way: what is pending is MISS, and is forgotten when its result is there" {
	mkdir -p "night/pending/k@m" "night/pending/k2@m" night/incoming/x
	echo "no result yet" | tee "night/pending/k@m/infra" >"night/pending/k2@m/infra"
	: >night/plan.json
	folder "night/incoming/x/k@m/1"
	run "$report" --store s.db night
	[[ $status -eq 3 && $output == *"2 runs, 2 of them amiss" ]]
	mkdir night/jobs
	mv "night/incoming/x/k@m" night/jobs/
	rm -r "night/pending/k@m"
	run "$report" --store s.db night
	[[ $status -eq 3 && $output == *"k (m): 3 pass 1 skip"*"2 runs, 1 of them amiss" ]]
	[ "$(sqlite3 s.db "SELECT count(*) FROM run")" -eq 2 ]
}

@test "a file ktap is its folder alone" {
	folder r
	folder r/below good-fail 1
	run "$report" r/ktap
	[[ $status -eq 0 && $output == *"1 runs"* ]]
	cd r
	run "$report" ktap
	[[ $status -eq 0 && $output == *"1 runs"* ]]
	run "$report" .
	[[ $status -eq 1 && $output == *"2 runs"* ]]
}

# --- what others read

@test "junit: xmllint takes it, and counts what the store has" {
	for doc in good-pass good-fail good-crash good-skip good-splat cut-off nul; do folder "r/$doc" "$doc"; done
	printf 'KTAP version 1\n1..1\n  KTAP version 1\n  1..1\n# <b>]]>\033[1m & "x" \x01 \xff\n  not ok 1 <a & "b"> # it'"'"'s <"wrong">\nnot ok 1 a\n' >r/nul/ktap
	"$report" junit --store s.db r -o j.xml 2>/dev/null
	xmllint --noout j.xml
	count() { xmllint --xpath "count($1)" j.xml; }
	verdicts() { sqlite3 s.db "SELECT count(*) FROM outcome WHERE verdict IN ($1)"; }
	[ "$(count //testcase/failure)" -eq "$(verdicts "'fail', 'timeout', 'crash', 'missing'")" ]
	[ "$(count //testcase/skipped)" -eq "$(verdicts "'skip'")" ]
	[ "$(count "//testcase[not(*)]")" -eq "$(verdicts "'pass'")" ]
	[ "$(count "//testcase/error[@type != 'record']")" -eq "$(verdicts "'error'")" ]
	[ "$(count "//testcase/error[@type = 'record']")" -eq "$(sqlite3 s.db "SELECT count(*) FROM problem")" ]
	[ "$(xmllint --xpath "sum(//testsuite/@tests)" j.xml)" -eq "$(count //testcase)" ]
	[ "$(xmllint --xpath "sum(//testsuite/@failures)" j.xml)" -eq "$(count //failure)" ]
	[ "$(xmllint --xpath "string(//testcase[@name = '<a & \"b\">']/failure/@message)" j.xml)" = "it's <\"wrong\">" ]
	[ "$(xmllint --xpath "string(//testcase[@classname = 'm.k.a_test' and @name = 'two' and skipped]/@name)" j.xml)" = two ]
}

@test "kcidb: valid by the schema's rules; a word that it does not know would not be" {
	/usr/bin/python3 -c 'import jsonschema' || skip "no python3-jsonschema"
	for doc in "$corpus"/*; do folder "r/${doc##*/}" "${doc##*/}" 0 x86-svm "kernel ${doc##*/}"; done
	jq '.commit = "0123456789012345678901234567890123456789" | .date = "yesterday"' r/good-fail/meta.json >x
	mv x r/good-fail/meta.json
	"$report" kcidb --origin a_lab r -o k.json 2>/dev/null
	n=0
	for break in '.tests[0].status = "BROKEN"' '.tests[0].path = null' '.tests[0].path = "a b"' 'del(.tests[0].build_id)' \
		'.builds[0].valid = true' '.tests[0].id = "x"' '.version.minor = 4' '.checkouts[0].git_commit_hash = "x"'; do
		n=$((n + 1))
		jq "$break" k.json >"broken-$n.json"
	done
	/usr/bin/python3 -c '
import json, sys, jsonschema
schema = jsonschema.Draft7Validator(json.load(open(sys.argv[1])))
for name in sys.argv[2:]:
    print(name, "valid" if schema.is_valid(json.load(open(name))) else "not")
' "$top/tests/kcidb.schema.json" k.json broken-*.json >verdicts
	[ "$(grep valid verdicts)" = "k.json valid" ]
	[ "$(grep -c not verdicts)" -eq "$n" ]
	# What is referred to is there, and nothing is there twice.
	jq -e '([.builds[].id] | index(.[]) != null) and
		(.builds as $b | all(.tests[]; .build_id as $id | any($b[]; .id == $id))) and
		(.checkouts as $c | all(.builds[]; .checkout_id as $id | any($c[]; .id == $id))) and
		all(.checkouts, .builds, .tests; map(.id) | length == (unique | length)) and
		any(.checkouts[]; .git_commit_hash)' k.json
	for pair in good-fail:FAIL good-crash:FAIL good-timeout:ERROR good-skip:SKIP good-pass:PASS; do
		"$report" kcidb "r/${pair%:*}" 2>/dev/null | jq -e --arg status "${pair#*:}" 'any(.tests[]; .path == "kselftest.kvm.a_test" or
			(.path | startswith("kselftest.kvm.a_test.")) and .status == $status)'
	done
}

@test "lava: a signal for each case, and the test definition's own steps" {
	folder r/1
	folder r/2 good-crash 1
	"$report" lava r >signals
	[ "$(grep -c '^<LAVA_SIGNAL_TESTCASE TEST_CASE_ID=[A-Za-z0-9._-]* RESULT=\(pass\|fail\|skip\|unknown\)\( MEASUREMENT=[0-9.]* UNITS=seconds\)\?>$' signals)" -eq \
		"$(grep -c TESTCASE signals)" ]
	grep -qx '<LAVA_SIGNAL_TESTCASE TEST_CASE_ID=a_test.one RESULT=pass>' signals
	grep -qx '<LAVA_SIGNAL_TESTCASE TEST_CASE_ID=a_test.two RESULT=skip>' signals
	grep -qx '<LAVA_SIGNAL_TESTCASE TEST_CASE_ID=a_test.two RESULT=fail>' signals
	grep -qx '<LAVA_SIGNAL_TESTCASE TEST_CASE_ID=a_test RESULT=pass MEASUREMENT=2.000 UNITS=seconds>' signals

	/usr/bin/python3 -c 'import yaml' || skip "no python3-yaml"
	/usr/bin/python3 -c '
import sys, yaml
d = yaml.safe_load(open(sys.argv[1]))
assert d["metadata"]["format"] == "Lava-Test Test Definition 1.0" and d["metadata"]["name"]
params = dict(d["params"], TESTS="probe_test", RESULTS=sys.argv[2])
print("set -e")
for k, v in params.items():
    print("%s=\"%s\"" % (k, v))
print("\n".join(d["run"]["steps"]))' "$top/report/lava.yaml" "$PWD/lava" >steps.sh
	(cd "$top" && sh "$BATS_TEST_TMPDIR/steps.sh") >signals
	[ "$(grep -c '^<LAVA_SIGNAL_TESTCASE TEST_CASE_ID=probe_test\.[a-z_]* RESULT=\(pass\|skip\)>$' signals)" -eq \
		"$(jq '.tests[0].cases | length' lava/meta.json)" ]
}

# What a database must have of the store: rows, and a sum of all their text.
sums="SELECT 'run', count(*), sum(length(folder || kernel || machine || started)) FROM run
	UNION ALL SELECT 'test', count(*), sum(length(name || verdict || reason)) FROM test
	UNION ALL SELECT 'result', count(*), sum(length(name || verdict || reason || log)) FROM result
	UNION ALL SELECT 'problem', count(*), sum(length(words)) FROM problem
	UNION ALL SELECT verdict, count(*), count(DISTINCT test) FROM outcome GROUP BY verdict ORDER BY 1"

@test "sql: sqlite3 and a PostgreSQL server have what the store has" {
	for doc in "$corpus"/*; do folder "r/${doc##*/}" "${doc##*/}" 0 m "it's ${doc##*/}"; done
	"$report" sql --store s.db r -o dump.sql 2>/dev/null
	sqlite3 -separator '|' s.db "$sums" >ours
	sqlite3 copy.db <dump.sql
	sqlite3 -separator '|' copy.db "$sums" | diff ours -
	bin=$(find /usr/lib/postgresql -maxdepth 3 -name initdb -printf '%h\n' 2>/dev/null | sort -V | tail -n 1)
	[ -n "$bin" ] || skip "no postgresql"

	as=()
	if [ "$(id -u)" -eq 0 ]; then
		# The server does not run as root.
		as=(setpriv --reuid nobody --regid nogroup --clear-groups)
	fi
	pg=$(mktemp -d /tmp/kvm-witness-pg-XXXX)
	[ ${#as[@]} -eq 0 ] || chown nobody:nogroup "$pg"
	(cd "$pg" && "${as[@]}" "$bin/initdb" -D data -A trust -U farm -E UTF8 --locale C.UTF-8 --no-sync >log 2>&1) || { cat "$pg/log"; false; }
	(cd "$pg" && exec "${as[@]}" "$bin/postgres" -D data -k "$pg" -h '' -F >>log 2>&1) 3>&- &
	server=$!
	psql=(psql -h "$pg" -U farm -d postgres -v ON_ERROR_STOP=1 -q -A -t)
	for ((i = 0; i < 100; i++)); do
		"${psql[@]}" -c "SELECT 1" >/dev/null 2>&1 && break
		sleep 0.1
	done
	code=0
	"${psql[@]}" -f dump.sql && "${psql[@]}" -c "$sums" >theirs || code=$?
	kill -INT "$server"
	wait "$server" || :
	rm -rf "$pg"
	[ "$code" -eq 0 ]
	sort theirs | diff <(sort ours) -
}

# --- baselines

# runs DIR WORD...: one for each WORD, which is the verdict of the case a; b always passes.
runs()
{
	local dir=$1 n=0 word

	shift
	rm -rf "$dir"
	for word; do
		n=$((n + 1))
		results "$dir/$n" k "a=$word" b=pass
	done
}

# now WORD...: what becomes of the case a, which is now WORD; in a word and an exit code.
now()
{
	runs now "$@"
	run "$report" --baseline base.json now
	echo "$(sed -n 's/^\([a-z ]*\): t\.a on .*/\1/p' <<<"$output") $status"
}

# before WORD...: the baseline of such runs.
before()
{
	runs before "$@"
	"$report" baseline before -o base.json
}

@test "baseline: new failure, fixed, still failing, flaky, lost, not run; exit 1 for new failures and lost cases only" {
	before pass pass
	[ "$(now pass)" = " 0" ]
	[ "$(now fail)" = "new failure 1" ]
	[ "$(now timeout)" = "new failure 1" ]
	[ "$(now crash)" = "new failure 1" ]
	[ "$(now pass fail)" = "new failure 1" ]
	[ "$(now skip)" = "lost 1" ]
	[ "$(now missing)" = "lost 1" ]
	[ "$(now error)" = "not run 3" ]
	[ "$(now error fail)" = "new failure 1" ]
	before fail fail
	[ "$(now fail)" = "still failing 0" ]
	[ "$(now crash)" = "still failing 0" ]
	[ "$(now pass)" = "fixed 0" ]
	[ "$(now pass fail)" = "flaky 0" ]
	[ "$(now skip)" = "lost 1" ]
	before skip
	[ "$(now skip)" = " 0" ]
	[ "$(now pass)" = " 0" ]
	[ "$(now fail)" = "new failure 1" ]
	[ "$(now missing)" = "new failure 1" ]
	before error
	[ "$(now fail)" = "new failure 1" ]
	# One of twenty: may fail once, cannot fail always, and is not fixed so soon.
	mapfile -t twenty < <(printf 'pass\n%.0s' $(seq 19))
	before fail "${twenty[@]}"
	[ "$(now fail)" = "flaky 0" ]
	[ "$(now pass)" = "flaky 0" ]
	[ "$(now fail fail fail fail)" = "new failure 1" ]
	[ "$(now "${twenty[@]}")" = "flaky 0" ]
	before fail pass
	[ "$(now "${twenty[@]}")" = "fixed 0" ]
	[[ $(now fail; "$report" --baseline base.json now) == *"flaky: t.a on k (m): 1 of 2 failed; now 1 of 1 failed: 0, want 1"* ]]
}

@test "baseline: cases and kernels that are gone or new; --only, --partial" {
	results before/1 k1 a=pass b=pass c=skip
	results before/2 k2 a=pass
	"$report" baseline before -o base.json
	results now/1 k1 a=pass d=fail
	run "$report" --baseline base.json now
	[ "$status" -eq 1 ]
	[[ $output == *"new failure: t.d on k1 (m): not in the baseline; now 1 of 1 failed: 0, want 1"* ]]
	[[ $output == *"lost: t.b on k1 (m): 0 of 1 failed; now there is no result"* ]]
	[[ $output == *"lost: t.a on k2 (m)"* && $output != *"t.c"* ]]
	[[ $output == *"baseline: 1 new failure, 2 lost, 0 fixed, 0 still failing, 0 flaky, 1 as before, 0 not run"* ]]
	run "$report" --baseline base.json --partial now
	[[ $output == *"1 lost"* && $output != *k2* ]]
	results now/1 k1 a=pass
	run "$report" --baseline base.json --partial --only t.a now
	[[ $status -eq 0 && $output == *"0 lost"* ]]
	run "$report" --baseline base.json --partial --only other --only t now
	[[ $status -eq 1 && $output == *"lost: t.b"* ]]

	# Another kernel is compared with the only one that the baseline has of the machine.
	results one/1 k1 a=pass b=pass
	"$report" baseline one -o base.json
	results mine/1 my-kernel a=fail b=pass
	run "$report" --baseline base.json mine
	[[ $status -eq 1 && $output == *"new failure: t.a on my-kernel (m): 0 of 1 failed;"*"1 as before"* ]]
}

@test "baseline: a test that fails although its cases do not, once in a while" {
	for n in 1 2 3 4 5; do folder "clean/$n"; done
	folder splat good-splat 1
	"$report" baseline clean -o clean.json
	run "$report" --baseline clean.json --partial --only a_test.one splat
	[[ $status -eq 1 && ${lines[0]} == "new failure: a_test on k (m): not in the baseline; now 1 of 1 failed: kernel warning: "* ]]
	"$report" baseline splat -o splat.json
	run "$report" --baseline splat.json clean
	[[ $status -eq 0 && ${lines[0]} == "fixed: a_test on k (m): 1 of 1 failed; now it is as its cases are" ]]
	"$report" baseline clean splat -o both.json
	jq -e '.cases[] | select(.test == "a_test" and .case == "") | .pass == 5 and .fail == 1' both.json
	run "$report" --baseline both.json clean
	[[ $status -eq 0 && $output == *"0 flaky"* ]]
	# The page does not say for ever what was once.
	folder clean/6 good-pass 0 m k 2026-11-22T00:00:00Z
	"$report" html clean splat -o page.html
	run ! grep '<td class="*fail' page.html
	grep -q 'Nothing: each case passed' page.html
}

@test "baseline: a record that is damaged is no loss of cases, but our own fault" {
	results before/1 k a=pass b=pass
	"$report" baseline before -o base.json
	results now/1 k a=pass b=pass
	jq 'del(.exit_code)' now/1/meta.json >x
	mv x now/1/meta.json
	truncate -s 50 now/1/ktap
	run "$report" --baseline base.json now
	[[ $status -eq 3 && $output == *"0 lost"*"1 damaged record" ]]
	rm -r now
	mkdir -p now/k@m
	echo "the node died" >now/k@m/infra
	run "$report" --baseline base.json now
	[[ $status -eq 3 && $output == *"0 lost"*"2 not run, 1 damaged record" ]]
}

@test "baseline: a file that is none, or contradicts itself: exit 2 before anything runs" {
	results before/1 k a=pass
	"$report" baseline before -o base.json
	head -c 60 base.json >half.json
	jq '.cases += .cases' base.json >twice.json
	jq '.cases[0].pass = -1' base.json >minus.json
	jq '.baseline = 9' base.json >newer.json
	jq '.cases = []' base.json >empty.json
	for file in half twice minus newer empty none; do
		run "$top/run_tests.sh" --vm --results r --baseline "$file.json" probe_test
		[[ $status -eq 2 && ${#lines[@]} -eq 1 && $output == kvm-witness:*"$file.json"* ]] || { echo "$file: $status $output"; false; }
		[ ! -e r ]
	done
}

@test "run_tests.sh --baseline: a real mutant, and the reference's results" {
	jq -e '.exit_code == 0' "$real/reference/meta.json"
	[ "$(cat "$real/code")" -eq 1 ]
	grep -q '^# new failure: deferred_ibpb_test.loaded_here_entered_there on ibpb-posted-deferral (x86-svm): 0 of 1 failed; now 1 of 1 failed: ' "$real/stdout"
	[ "$(tail -n 1 "$real/stdout")" = "# baseline: 1 new failure, 0 lost, 0 fixed, 0 still failing, 0 flaky, 1 as before, 0 not run" ]
	# Once it is known it is none.
	"$report" baseline "$real/mutant" -o base.json
	run "$report" --baseline base.json "$real/mutant"
	[[ $status -eq 0 && ${lines[0]} == "still failing: "* && ${#lines[@]} -eq 2 ]]
}

# --- the page

# A farm's results: kernels, machines, nights, flaky and bad cases, and names that bite.
farm()
{
	local night kernel verdict machine date

	machine=x86-svm
	for night in 01 02 03 04 05 06 07 08; do
		for kernel in 6.1 6.12 7.3 next; do
			verdict=pass
			[ "$kernel" != next ] || [ "$night" -lt 05 ] || verdict=fail
			[ "$kernel$night" != 6.1202 ] || verdict=crash
			date=2026-11-${night}T02:00:00Z
			results "r/$night/$kernel@x86-svm" "$kernel" "same=pass" "breaks=$verdict" "none=skip"
		done
	done
	folder r/08/crash@x86-vmx good-crash 1 x86-vmx next
	folder r/08/bad@x86-vmx cut-off 1 x86-vmx 7.3
	mkdir -p r/08/next@arm64
	echo "no node with <kvm>" >r/08/next@arm64/infra
	printf 'KTAP version 1\n1..1\n  KTAP version 1\n  1..1\n# </pre><img src=x onerror=document.title=1> &amp;\n  not ok 1 <script>document.title="bitten"</script> # "><script>document.title=2</script>\nnot ok 1 "quoted'"'"'&lt;\n' >r/08/crash@x86-vmx/ktap
}

@test "html: the browser counts what the store has, with and without JavaScript" {
	command -v chromium >/dev/null || skip "no chromium"
	farm
	"$report" html --store s.db r -o "page one.html" 2>/dev/null
	browser --dump-dom "file://$PWD/page%20one.html" >dom
	# Nothing of a name or a log was taken for HTML.
	grep -q '<title>kvm-witness: results</title>' dom
	[ "$(grep -o '<script' dom | wc -l)" -eq 1 ]
	[ "$(grep -o '<img' dom | wc -l)" -eq 0 ]
	grep -qF '&lt;/pre&gt;&lt;img src=x onerror=document.title=1&gt; &amp;amp;' dom

	cat >count.js <<-'EOT'
	const n = q => document.querySelectorAll(q).length, words = ["pass", "fail", "skip", "timeout", "crash", "missing", "error"];
	document.title = [...words.map(w => w + " " + document.getElementById("n-" + w).textContent + " " + n("table.map td." + w)),
		"runs " + document.getElementById("n-runs").textContent + " " + n("#runs tbody tr"),
		"cases " + document.getElementById("n-cases").textContent + " " + n("#cases details") + " " + n("table.map th[scope=row]"),
		"columns " + document.getElementById("n-columns").textContent + " " + n("table.map tr.kernels th"),
		"amiss " + document.getElementById("n-amiss").textContent + " " + n("table.amiss tbody tr")].join("; ");
	EOT
	sed 's/<\/script>$//' "page one.html" >counted.html
	{ cat count.js; echo "</script>"; } >>counted.html
	browser --dump-dom "file://$PWD/counted.html" | sed -n 's/.*<title>\(.*\)<\/title>.*/\1/p' >seen
	latest="SELECT test, name, machine, kernel, verdict FROM outcome AS o WHERE run_id = (SELECT run_id FROM outcome AS l
		WHERE l.test = o.test AND l.name = o.name AND l.machine = o.machine AND l.kernel = o.kernel
		ORDER BY started DESC, run_id DESC LIMIT 1)"
	want=$(for word in pass fail skip timeout crash missing error; do
		echo "$word $(sqlite3 s.db "SELECT count(*) FROM outcome WHERE verdict = '$word'") $(sqlite3 s.db \
			"SELECT count(*) FROM ($latest) WHERE verdict = '$word'")"
	done
	runs=$(sqlite3 s.db "SELECT count(*) FROM run")
	cases=$(sqlite3 s.db "SELECT count(*) FROM (SELECT DISTINCT test, name FROM outcome)")
	columns=$(sqlite3 s.db "SELECT count(*) FROM (SELECT DISTINCT machine, kernel FROM run)")
	echo "runs $runs $runs"
	echo "cases $cases $cases $cases"
	echo "columns $columns $columns"
	sqlite3 -separator ' ' s.db "SELECT 'amiss', count(DISTINCT run_id), count(*) FROM problem")
	[ "$(cat seen)" = "${want//$'\n'/; }" ] || { cat seen; echo "$want"; false; }
	# What the script adds is no content: without it the words are the same.
	cells() { sed '/<script>/,$d' "$1" | grep -o '<td class="*[a-z]*' | tr -d '"' | sort | uniq -c; }
	[ "$(cells "page one.html")" = "$(cells dom)" ]

	screenshot page-light "file://$PWD/page%20one.html"
	screenshot page-dark "file://$PWD/page%20one.html" --force-dark-mode --blink-settings=preferredColorScheme=0
}

@test "html: keys move in the map, open a history, filter" {
	command -v chromium >/dev/null || skip "no chromium"
	farm
	"$report" html r 2>/dev/null | sed 's/<\/script>$//' >page.html
	cat >>page.html <<-'EOT'
	const key = (e, k) => e.dispatchEvent(new KeyboardEvent("keydown", { key: k, bubbles: true, cancelable: true }));
	const at = () => document.activeElement.closest("tr").rowIndex + "," + document.activeElement.closest("td").cellIndex;
	const said = [document.querySelectorAll("table.map a[tabindex='0']").length];
	[...document.querySelectorAll("table.map tr")].find(r => r.textContent.startsWith("breaks")).querySelector("td a").focus();
	for (const k of ["ArrowDown", "ArrowRight", "ArrowDown", "ArrowUp", "ArrowUp", "ArrowLeft"]) {
		const before = at();
		key(document.activeElement, k);
		said.push(k + (at() === before ? " stuck" : " moved"));
	}
	key(document.body, "/");
	said.push(document.activeElement.id);
	const shown = () => [...document.querySelectorAll("table.map th[scope=row]")].filter(t => t.offsetParent).length;
	document.activeElement.value = "t.br";
	document.activeElement.dispatchEvent(new Event("input"));
	said.push("filtered " + shown());
	key(document.activeElement, "Escape");
	said.push("all " + (shown() === document.querySelectorAll("table.map th[scope=row]").length));
	location.hash = document.querySelector("#cases details").id;
	setTimeout(() => { document.title = [...said, "open " + document.querySelectorAll("details[open]").length].join("; "); }, 50);
	</script>
	EOT
	run browser --virtual-time-budget=2000 --dump-dom "file://$PWD/page.html"
	[[ $output == *"<title>1; ArrowDown moved; ArrowRight moved; ArrowDown moved; ArrowUp moved; ArrowUp moved; ArrowLeft moved; filter; filtered 1; all true; open 1</title>"* ]] ||
		{ grep -o '<title>.*</title>' <<<"$output"; false; }
}

@test "html: links are relative to the page, and lead to what is there" {
	farm
	mkdir -p "r/08/a b#c%" pages/deep
	folder "r/08/a b#c%"
	for file in ./page.html r/page.html pages/deep/page.html; do
		"$report" html r -o "$file" 2>/dev/null
		n=0
		while read -r link; do
			n=$((n + 1))
			printf -v path '%b' "${link//%/\\x}"
			[ -d "${file%/*}/${path%/*}" ] || { echo "$file: $link"; false; }
		done < <(grep -o 'href="[^"]*' "$file" | sed 's/href="//')
		[ "$n" -gt 50 ]
		! grep -q "href=\"/" "$file"
	done
	"$report" html r 2>/dev/null | grep -q "href=\"$PWD/r/08"
}

@test "html --baseline: what is new is marked" {
	results before/1 k a=pass b=fail
	"$report" baseline before -o base.json
	results now/1 k a=fail b=pass
	"$report" html --baseline base.json now >page.html
	grep -q '<tr class=change-1><td>new failure<td class=name>t.a<td>k<td>m' page.html
	grep -q '<tr class=change-3><td>fixed<td class=name>t.b' page.html
}

# --- at random

@test "the KTAP reader is fed at random for some seconds" {
	command -v clang >/dev/null || skip "no clang"
	make -s -C "$top" fuzz-ktap OUTPUT="$out" FUZZ_SECONDS=3 >fuzz.log 2>&1 || { tail -n 40 fuzz.log; false; }
	grep -q 'stat::number_of_executed_units: [1-9]' fuzz.log
}
