// SPDX-License-Identifier: GPL-2.0-only
/*
 * run_tests.sh report: result folders into the store, and out of it what others read.
 */
#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "die.h"
#include "folder.h"
#include "text.h"
#include "writers.h"

static const char help[] =
"run_tests.sh report [COMMAND] [option]... DIR...\n"
"\n"
"Reads every result folder at or below each DIR (or just one: DIR/ktap), and writes\n"
"\n"
"  summary    (no COMMAND) what failed, and how many of what\n"
"  html       one page: cases and kernels, histories, skips, seconds, runs\n"
"  junit      JUnit XML\n"
"  kcidb      KCIDB, schema 5.3, to submit to KernelCI\n"
"  lava       the signals that LAVA reads off a console\n"
"  sql        schema and rows, for psql\n"
"  baseline   a file of known results, for --baseline\n"
"\n"
"  -o FILE              there, and not to stdout\n"
"  --store FILE         keep the results in FILE; html and sql tell of all that it has\n"
"  --baseline FILE      summary, html: tell what is new\n"
"  --only TEST[.CASE]   with --baseline: nothing else can be lost; may be given again\n"
"  --partial            with --baseline: a kernel without results is not lost\n"
"  --origin NAME        kcidb: who submits ([a-z0-9_]+; kvm_witness)\n"
"  --check FILE         baseline: only look whether FILE is one\n"
"  -h, --help\n"
"\n"
"Exit codes: 0 all that ran passed; 1 something failed, or with --baseline: a new failure,\n"
"or a case is lost; 2 usage; 3 our own fault, or a damaged record; 4 nothing ran.  What\n"
"writes a file exits with 0 when it is written.\n";

enum command { SUMMARY, HTML, JUNIT, KCIDB, LAVA, SQL, BASELINE, NR_COMMANDS };

static const char * const commands[NR_COMMANDS] = {
	"summary", "html", "junit", "kcidb", "lava", "sql", "baseline",
};

struct args {
	enum command command;
	const char *output, *store, *baseline, *origin, *check;
	struct scope scope;
	char **dirs;
};

void die(int code, const char *fmt, ...)
{
	va_list ap;

	fflush(stdout);
	fputs("kvm-witness: ", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	exit(code);
}

static void __noreturn usage(const char *what, const char *which)
{
	die(EXIT_USAGE, "%s%s (run_tests.sh report --help)", what, which);
}

/* --- the command line --------------------------------------------------------- */

static void parse_command(struct args *a, int *argc, char ***argv)
{
	enum command c;

	for (c = 0; *argc > 1 && c < NR_COMMANDS; c++) {
		if (!strcmp((*argv)[1], commands[c])) {
			a->command = c;
			(*argc)--;
			(*argv)++;
			return;
		}
	}
}

static void check_args(const struct args *a)
{
	if (a->check && a->command != BASELINE)
		usage("--check is for baseline", "");
	if (a->baseline && a->command != SUMMARY && a->command != HTML)
		usage("--baseline is for summary and html", "");
	if ((a->scope.nr_only || a->scope.partial) && !a->baseline)
		usage("--only and --partial want --baseline", "");
	if (!*a->origin || a->origin[strspn(a->origin, "abcdefghijklmnopqrstuvwxyz0123456789_")])
		usage("--origin wants small letters, digits and _, not ", a->origin);
	if (!a->check && !a->dirs[0] && !a->store)
		usage("which results? want a DIR, or --store", "");
}

static void parse(struct args *a, int argc, char **argv)
{
	static const struct option options[] = {
		{ "store", required_argument, NULL, 's' },
		{ "baseline", required_argument, NULL, 'b' },
		{ "only", required_argument, NULL, 'O' },
		{ "partial", no_argument, NULL, 'p' },
		{ "origin", required_argument, NULL, 'r' },
		{ "check", required_argument, NULL, 'c' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	int opt;

	*a = (struct args){ .origin = "kvm_witness" };
	parse_command(a, &argc, &argv);
	a->scope.only = calloc(argc, sizeof(char *));
	if (!a->scope.only)
		abort();
	while ((opt = getopt_long(argc, argv, ":ho:", options, NULL)) >= 0) {
		switch (opt) {
		case 'h':
			fputs(help, stdout);
			exit(0);
		case 'o':
			a->output = optarg;
			break;
		case 's':
			a->store = optarg;
			break;
		case 'b':
			a->baseline = optarg;
			break;
		case 'O':
			a->scope.only[a->scope.nr_only++] = optarg;
			break;
		case 'p':
			a->scope.partial = true;
			break;
		case 'r':
			a->origin = optarg;
			break;
		case 'c':
			a->check = optarg;
			break;
		case ':':
			usage("a value is missing after ", argv[optind - 1]);
		default:
			usage("unknown option ", argv[optind - 1]);
		}
	}
	a->dirs = argv + optind;
	check_args(a);
}

/* --- where it goes -------------------------------------------------------------- */

struct output {
	const char *path;
	char *tmp;
	FILE *f;
};

/* A file that is there is whole, however we end; a pipe or a device is what it is. */
static void output_open(struct output *o, const char *path)
{
	struct stat st;

	*o = (struct output){ .path = path, .f = stdout };
	if (!path)
		return;
	if (stat(path, &st) || S_ISREG(st.st_mode))
		o->tmp = format("%s.%d.tmp", path, (int)getpid());
	o->f = fopen(o->tmp ?: path, "we");
	if (!o->f)
		die(EXIT_OURS, "%s: %s; give another -o", path, strerror(errno));
}

static void output_close(struct output *o)
{
	bool bad = fflush(o->f) || ferror(o->f);

	if (o->path)
		bad |= fclose(o->f);
	if (o->tmp && (bad || rename(o->tmp, o->path))) {
		unlink(o->tmp);
		bad = true;
	}
	if (bad)
		die(EXIT_OURS, "%s: cannot be written (disk full?)", o->path ? o->path : "stdout");
	free(o->tmp);
}

/* The folder that the output will be in; NULL for stdout. */
static char *folder_of(const char *path)
{
	char *dir, *real, *slash;

	if (!path)
		return NULL;
	dir = strdup(path);
	slash = strrchr(dir, '/');
	if (slash)
		slash[slash == dir] = '\0';
	real = realpath(slash ? dir : ".", NULL);
	free(dir);
	return real;
}

/* --- what it is ----------------------------------------------------------------- */

static void collect(struct store *s, const struct args *a)
{
	unsigned long n;
	char **dir;

	store_begin(s);
	for (dir = a->dirs; *dir; dir++) {
		n = folders_collect(s, *dir);
		if (!n)
			die(EXIT_USAGE, "%s: no result folder there (meta.json and ktap)", *dir);
	}
	if (!a->dirs[0])
		store_do(s, "INSERT INTO now SELECT id FROM run", "");
	store_commit(s);
}

static int write_summary(FILE *out, struct store *s, const struct comparison *c)
{
	if (!c)
		return summary_write(out, s);
	comparison_print(out, c);
	return comparison_code(c);
}

static int write_output(FILE *out, struct store *s, const struct args *a, const struct comparison *c)
{
	struct tallies t;
	char *base;

	switch (a->command) {
	case HTML:
		base = folder_of(a->output);
		html_write(out, s, c, base);
		free(base);
		break;
	case JUNIT:
		junit_write(out, s);
		break;
	case KCIDB:
		kcidb_write(out, s, a->origin);
		break;
	case LAVA:
		lava_write(out, s);
		break;
	case SQL:
		sql_write(out, s);
		break;
	case BASELINE:
		tallies_of_store(&t, s);
		baseline_write(out, &t);
		tallies_free(&t);
		break;
	default:
		return write_summary(out, s, c);
	}
	return 0;
}

int main(int argc, char **argv)
{
	static char buffer[1 << 18];
	struct comparison c;
	struct output o;
	struct store s;
	struct args a;
	int code;

	setvbuf(stdout, buffer, _IOFBF, sizeof(buffer));
	parse(&a, argc, argv);
	if (a.check) {
		baseline_read(&c.before, a.check);
		tallies_free(&c.before);
		free(a.scope.only);
		return 0;
	}
	store_open(&s, a.store);
	collect(&s, &a);
	if (a.baseline)
		compare(&c, a.baseline, &s, &a.scope);
	output_open(&o, a.output);
	code = write_output(o.f, &s, &a, a.baseline ? &c : NULL);
	output_close(&o);
	if (a.baseline)
		comparison_free(&c);
	store_close(&s);
	free(a.scope.only);
	return code;
}
