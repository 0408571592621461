-- SPDX-License-Identifier: GPL-2.0-only
--
-- The store: SQLite has it, and "report sql" writes it for PostgreSQL.  It can always
-- be made anew of the result folders: there is no way to bring an old one up to date.

-- One result folder of run_tests.sh.
CREATE TABLE run (
	id		INTEGER PRIMARY KEY,
	folder		TEXT NOT NULL UNIQUE,	-- absolute
	stamp		TEXT NOT NULL,		-- sizes and times of its files
	machine		TEXT NOT NULL,
	kernel		TEXT NOT NULL,		-- what it is called: the key with machine
	release		TEXT NOT NULL,		-- uname -r; '' unknown
	commit_hash	TEXT NOT NULL,		-- of a git tree; '' unknown
	append		TEXT NOT NULL,		-- kernel parameters
	started		TEXT NOT NULL,		-- 2026-11-21T20:28:01Z; '' unknown
	seconds		DOUBLE PRECISION NOT NULL,
	exit_code	INTEGER,		-- of run_tests.sh; NULL: the run did not end
	trouble		TEXT			-- why nothing in it counts; NULL: it does
);

CREATE TABLE test (
	id		INTEGER PRIMARY KEY,
	run_id		INTEGER NOT NULL REFERENCES run (id) ON DELETE CASCADE,
	name		TEXT NOT NULL,
	verdict		TEXT NOT NULL,		-- DESIGN.md's words
	reason		TEXT NOT NULL,
	seconds		DOUBLE PRECISION,	-- NULL: unknown
	UNIQUE (run_id, name)
);

-- One case; with the name '' the test itself, where no case accounts for its verdict.
CREATE TABLE result (
	id		INTEGER PRIMARY KEY,
	test_id		INTEGER NOT NULL REFERENCES test (id) ON DELETE CASCADE,
	name		TEXT NOT NULL,
	verdict		TEXT NOT NULL,
	reason		TEXT NOT NULL,
	log		TEXT NOT NULL,		-- what was said before it, unless it passed
	UNIQUE (test_id, name)
);

-- What is amiss with a run's record.
CREATE TABLE problem (
	run_id		INTEGER NOT NULL REFERENCES run (id) ON DELETE CASCADE,
	line		INTEGER NOT NULL,	-- of ktap; 0: of none
	words		TEXT NOT NULL
);

CREATE VIEW outcome AS
	SELECT run.machine, run.kernel, run.started, test.name AS test, result.name AS name,
		result.verdict, result.reason, run.folder, run.id AS run_id
	FROM run JOIN test ON test.run_id = run.id JOIN result ON result.test_id = test.id;
