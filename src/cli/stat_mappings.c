/* Page tables of a machine: see stat_mappings.h. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cli/stat.h"
#include "cli/stat_mappings.h"

struct mapping {
	uint64_t gpa, size, host, origin;
	unsigned shift;
	char flags[8];
};

struct listing {
	bool json, nested;
	bool first_tree, first_map;
	bool pending; /* `last` is not shown yet: the next may continue it */
	struct mapping last;
};

/* 64K, 2M, ... of a power of two */
static void page_text(unsigned shift, char *text, size_t size)
{
	static const char units[] = "BKMGTPE";

	shift = shift > 63 ? 63 : shift;
	snprintf(text, size, "%u%c", 1u << shift % 10, units[shift / 10]);
}

static void show_text(const struct listing *l, const struct mapping *m)
{
	char page[16];

	page_text(m->shift, page, sizeof(page));
	printf("0x%013" PRIx64 "-0x%013" PRIx64 "  0x%012" PRIx64, m->gpa, m->gpa + m->size - 1,
	       m->host);
	if (l->nested)
		printf("  0x%013" PRIx64, m->origin);
	printf("  %4s  %.3s  %s\n", page, m->flags, m->flags + 3);
}

static void show_json(struct listing *l, const struct mapping *m)
{
	printf("%s{\"gpa\":%" PRIu64 ",\"size\":%" PRIu64 ",\"host\":%" PRIu64,
	       l->first_map ? "" : ",", m->gpa, m->size, m->host);
	if (l->nested)
		printf(",\"origin\":%" PRIu64, m->origin);
	printf(",\"page_size\":%" PRIu64 ",\"access\":\"%.3s\",\"referenced\":%s,\"changed\":%s}",
	       UINT64_C(1) << (m->shift & 63), m->flags, m->flags[3] == 'R' ? "true" : "false",
	       m->flags[4] == 'C' ? "true" : "false");
	l->first_map = false;
}

static void flush(struct listing *l)
{
	if (l->pending && l->json)
		show_json(l, &l->last);
	else if (l->pending)
		show_text(l, &l->last);
	l->pending = false;
}

static void begin_tree(struct listing *l, bool nested, uint32_t lpid)
{
	flush(l);
	if (l->json) {
		printf("%s{\"nested_lpid\":", l->first_tree ? "" : "]},");
		if (nested)
			printf("%" PRIu32, lpid);
		else
			printf("null");
		printf(",\"mappings\":[");
	} else if (nested) {
		printf("%sshadow tables of nested guest %" PRIu32 "\n"
		       "%-33s  %-14s  %-15s  page  access\n",
		       l->first_tree ? "" : "\n", lpid, "guest's addresses", "host's address",
		       "hypervisor's");
	} else {
		printf("the machine's own tables\n%-33s  %-14s  page  access\n",
		       "guest's addresses", "host's address");
	}
	l->nested = nested;
	l->first_tree = false;
	l->first_map = true;
}

static void map_line(struct listing *l, const struct mapping *m)
{
	struct mapping *last = &l->last;

	/* The server merges within a piece of its answer. */
	if (l->pending && last->gpa + last->size == m->gpa && last->host + last->size == m->host &&
	    (!l->nested || last->origin + last->size == m->origin) && last->shift == m->shift &&
	    !strcmp(last->flags, m->flags)) {
		last->size += m->size;
		return;
	}
	flush(l);
	*last = *m;
	l->pending = true;
}

static void take_line(char *line, void *arg)
{
	struct listing *l = arg;
	struct mapping m;
	uint32_t lpid;

	if (!strcmp(line, "tree own"))
		begin_tree(l, false, 0);
	else if (sscanf(line, "tree nested %" SCNu32, &lpid) == 1)
		begin_tree(l, true, lpid);
	else if (sscanf(line, "map %" SCNx64 " %" SCNx64 " %" SCNx64 " %" SCNx64 " %u %7s", &m.gpa,
			&m.size, &m.host, &m.origin, &m.shift, m.flags) == 6 &&
		 strlen(m.flags) == 5)
		map_line(l, &m);
}

int stat_mappings(pid_t pid, long lpid, bool json)
{
	struct listing l = {.json = json, .first_tree = true};
	char request[32] = "mappings";
	int ret;

	if (lpid >= 0)
		snprintf(request, sizeof(request), "mappings %ld", lpid);
	if (json)
		printf("{\"pid\":%d,\"trees\":[", (int)pid);
	ret = stat_ask(pid, request, take_line, &l, false);
	flush(&l);
	if (json)
		printf("%s]}\n", l.first_tree ? "" : "]}");
	return ret;
}
