/* Files of saved states: see save_file.h. */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mem/endian.h"
#include "util/compiler.h"
#include "vmm/save_file.h"

#define MAGIC        "anykvm state\n\0\0\0"
#define HEAD_SIZE    24
#define SECTION_HEAD 24
#define NO_STRING    UINT32_MAX

_Static_assert(sizeof(MAGIC) - 1 == 16, "the head's first field");

/* --- checksum: CRC-32 (IEEE 802.3), eight bytes at a time --- */

struct crc {
	uint32_t table[8][256];
};

static void crc_init(struct crc *c)
{
	for (uint32_t i = 0; i < 256; i++) {
		uint32_t v = i;

		for (int k = 0; k < 8; k++)
			v = v >> 1 ^ (v & 1 ? UINT32_C(0xedb88320) : 0);
		c->table[0][i] = v;
	}
	for (uint32_t i = 0; i < 256; i++)
		for (int t = 1; t < 8; t++)
			c->table[t][i] =
				c->table[t - 1][i] >> 8 ^ c->table[0][c->table[t - 1][i] & 0xff];
}

static uint32_t crc_of(const struct crc *c, const uint8_t *p, size_t n)
{
	uint32_t v = UINT32_MAX;

	for (; n >= 8; p += 8, n -= 8) {
		uint32_t lo = ld_le32(p) ^ v, hi = ld_le32(p + 4);

		v = c->table[7][lo & 0xff] ^ c->table[6][lo >> 8 & 0xff] ^
		    c->table[5][lo >> 16 & 0xff] ^ c->table[4][lo >> 24] ^ c->table[3][hi & 0xff] ^
		    c->table[2][hi >> 8 & 0xff] ^ c->table[1][hi >> 16 & 0xff] ^
		    c->table[0][hi >> 24];
	}
	while (n--)
		v = v >> 8 ^ c->table[0][(v ^ *p++) & 0xff];
	return ~v;
}

/* --- writing --- */

struct save_writer {
	char *path, *temporary;
	int fd;
	uint8_t *buf; /* the section: its head, then its payload */
	size_t used, size;
	bool no_memory;
	struct crc crc;
};

static int write_failed(const struct save_writer *w, int err, struct error *e)
{
	return error_set(e, err, "cannot save the state to \"%s\" (%s).", w->path, strerror(-err));
}

static int write_all(struct save_writer *w, const uint8_t *p, size_t n, struct error *e)
{
	while (n) {
		ssize_t done = write(w->fd, p, n);

		if (done < 0 && errno == EINTR)
			continue;
		if (done <= 0)
			return write_failed(w, done < 0 ? -errno : -EIO, e);
		p += done;
		n -= (size_t)done;
	}
	return 0;
}

static bool reserve(struct save_writer *w, size_t n)
{
	size_t size = w->size ? w->size : 65536;
	uint8_t *buf;

	if (w->no_memory)
		return false;
	while (size - w->used < n)
		size *= 2;
	if (size != w->size) {
		buf = realloc(w->buf, size);
		if (!buf) {
			w->no_memory = true;
			return false;
		}
		w->buf = buf;
		w->size = size;
	}
	return true;
}

void save_put(struct save_writer *w, const void *data, size_t n)
{
	if (!n || !reserve(w, n))
		return;
	memcpy(w->buf + w->used, data, n);
	w->used += n;
}

void save_put32(struct save_writer *w, uint32_t v)
{
	uint8_t b[4];

	st_le32(b, v);
	save_put(w, b, sizeof(b));
}

void save_put64(struct save_writer *w, uint64_t v)
{
	uint8_t b[8];

	st_le64(b, v);
	save_put(w, b, sizeof(b));
}

void save_put_string(struct save_writer *w, const char *s)
{
	save_put32(w, s ? (uint32_t)strlen(s) : NO_STRING);
	if (s)
		save_put(w, s, strlen(s));
}

/* Room for the head of the section to come. */
static void begin_section(struct save_writer *w)
{
	static const uint8_t zeros[SECTION_HEAD];

	w->used = 0;
	save_put(w, zeros, sizeof(zeros));
}

int save_section(struct save_writer *w, uint32_t tag, struct error *e)
{
	size_t len = w->used - SECTION_HEAD;
	int ret;

	if (w->no_memory)
		return write_failed(w, -ENOMEM, e);
	if (len > SAVE_MAX_SECTION)
		return write_failed(w, -EFBIG, e);
	st_le32(w->buf, tag);
	st_le64(w->buf + 8, len);
	st_le32(w->buf + 16, crc_of(&w->crc, w->buf + SECTION_HEAD, len));
	ret = write_all(w, w->buf, w->used, e);
	begin_section(w);
	return ret;
}

static void writer_free(struct save_writer *w)
{
	if (w->fd >= 0)
		close(w->fd);
	free(w->path);
	free(w->temporary);
	free(w->buf);
	free(w);
}

/* 0, or -errno: what is there is no regular file, which must not be replaced. */
static int check_target(const char *path)
{
	struct stat st;

	if (stat(path, &st))
		return errno == ENOENT ? 0 : -errno;
	return S_ISREG(st.st_mode) ? 0 : -EEXIST;
}

int save_writer_open(struct save_writer **out, const char *path, struct error *e)
{
	struct save_writer *w = calloc(1, sizeof(*w));
	uint8_t head[HEAD_SIZE] = MAGIC;
	int ret = check_target(path);

	if (ret == -EEXIST) {
		free(w);
		return error_set(e, ret,
				 "\"%s\" is no regular file; a state cannot be saved there.", path);
	}
	if (!w)
		return error_set(e, -ENOMEM, "the host has no memory for saving the state.");
	w->fd = -1;
	w->path = strdup(path);
	if (!w->path || asprintf(&w->temporary, "%s.new-XXXXXX", path) < 0) {
		w->temporary = NULL;
		ret = -ENOMEM;
	}
	if (!ret) {
		w->fd = mkostemp(w->temporary, O_CLOEXEC);
		ret = w->fd < 0 ? -errno : 0;
	}
	if (ret) {
		error_set(e, ret, "cannot save the state to \"%s\" (%s).", path, strerror(-ret));
		writer_free(w);
		return ret;
	}
	crc_init(&w->crc);
	begin_section(w);
	st_le32(head + 16, SAVE_VERSION);
	ret = write_all(w, head, sizeof(head), e);
	if (ret) {
		save_writer_abort(w);
		return ret;
	}
	*out = w;
	return 0;
}

void save_writer_abort(struct save_writer *w)
{
	unlink(w->temporary);
	writer_free(w);
}

/* The new name is on the disk when the folder is. */
static int sync_folder(const char *path)
{
	char *copy = strdup(path);
	int fd, ret = 0;

	if (!copy)
		return -ENOMEM;
	fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	free(copy);
	if (fd < 0)
		return -errno;
	/* Some file systems have no such thing. */
	if (fsync(fd) && errno != EINVAL)
		ret = -errno;
	close(fd);
	return ret;
}

int save_writer_commit(struct save_writer *w, struct error *e)
{
	int ret = save_section(w, SAVE_END, e);

	if (!ret && fsync(w->fd))
		ret = write_failed(w, -errno, e);
	if (!ret && rename(w->temporary, w->path))
		ret = write_failed(w, -errno, e);
	if (ret) {
		save_writer_abort(w);
		return ret;
	}
	ret = sync_folder(w->path);
	if (ret)
		write_failed(w, ret, e);
	writer_free(w);
	return ret;
}

int save_writer_probe(const char *path, struct error *e)
{
	struct save_writer *w;
	int ret = save_writer_open(&w, path, e);

	if (!ret)
		save_writer_abort(w);
	return ret;
}

/* --- reading --- */

struct save_reader {
	char *path;
	int fd;
	uint8_t *buf;
	size_t size;
	struct crc crc;
};

int save_damaged(const struct save_reader *r, const char *what, struct error *e)
{
	return error_set(e, -EINVAL, "the saved state \"%s\" is damaged: %s.", r->path, what);
}

/* *got < n only at the end of the file. */
static int read_all(struct save_reader *r, uint8_t *p, size_t n, size_t *got, struct error *e)
{
	*got = 0;
	while (*got < n) {
		ssize_t done = read(r->fd, p + *got, n - *got);

		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0)
			return error_set(e, -errno, "cannot read \"%s\" (%s).", r->path,
					 strerror(errno));
		if (!done)
			break;
		*got += (size_t)done;
	}
	return 0;
}

static int read_exactly(struct save_reader *r, uint8_t *p, size_t n, struct error *e)
{
	size_t got;
	int ret = read_all(r, p, n, &got, e);

	if (!ret && got < n)
		ret = save_damaged(r, "it ends too early", e);
	return ret;
}

static int read_head(struct save_reader *r, struct error *e)
{
	uint8_t head[HEAD_SIZE];
	size_t got;
	int ret = read_all(r, head, sizeof(head), &got, e);

	if (ret)
		return ret;
	if (got < sizeof(head) || memcmp(head, MAGIC, 16))
		return error_set(e, -EINVAL, "\"%s\" is no saved state of anykvm.", r->path);
	if (ld_le32(head + 16) != SAVE_VERSION)
		return error_set(e, -EINVAL,
				 "the saved state \"%s\" has version %u, and this anykvm reads "
				 "version %u only.",
				 r->path, ld_le32(head + 16), SAVE_VERSION);
	return 0;
}

int save_reader_open(struct save_reader **out, const char *path, struct error *e)
{
	struct save_reader *r = calloc(1, sizeof(*r));
	int ret;

	if (r)
		r->path = strdup(path);
	if (!r || !r->path) {
		free(r);
		return error_set(e, -ENOMEM, "the host has no memory for restoring the state.");
	}
	crc_init(&r->crc);
	r->fd = open(path, O_RDONLY | O_CLOEXEC);
	if (r->fd < 0)
		ret = error_set(e, -errno, "cannot open \"%s\" (%s).", path, strerror(errno));
	else
		ret = read_head(r, e);
	if (ret) {
		save_reader_close(r);
		return ret;
	}
	*out = r;
	return 0;
}

void save_reader_close(struct save_reader *r)
{
	if (r->fd >= 0)
		close(r->fd);
	free(r->path);
	free(r->buf);
	free(r);
}

int save_next(struct save_reader *r, uint32_t *tag, struct save_cursor *c, struct error *e)
{
	uint8_t head[SECTION_HEAD], one;
	uint64_t len;
	size_t got;
	int ret;

	ret = read_exactly(r, head, sizeof(head), e);
	if (ret)
		return ret;
	*tag = ld_le32(head);
	len = ld_le64(head + 8);
	if (len > SAVE_MAX_SECTION)
		return save_damaged(r, "a section is too long", e);
	if (len > r->size) {
		free(r->buf);
		r->size = 0;
		r->buf = malloc(len);
		if (!r->buf)
			return error_set(e, -ENOMEM,
					 "the host has no memory for restoring the state.");
		r->size = len;
	}
	ret = read_exactly(r, r->buf, len, e);
	if (ret)
		return ret;
	if (crc_of(&r->crc, r->buf, len) != ld_le32(head + 16))
		return save_damaged(r, "a checksum is wrong", e);
	*c = (struct save_cursor){.at = r->buf, .end = r->buf + len};
	if (*tag != SAVE_END)
		return 0;
	ret = read_all(r, &one, 1, &got, e);
	if (!ret && (got || len))
		ret = save_damaged(r, "something follows its end", e);
	return ret;
}

const uint8_t *save_take(struct save_cursor *c, size_t n)
{
	const uint8_t *p = c->at;

	if (c->bad || save_left(c) < n) {
		c->bad = true;
		return NULL;
	}
	c->at += n;
	return p;
}

void save_get(struct save_cursor *c, void *data, size_t n)
{
	const uint8_t *p = save_take(c, n);

	if (p && n)
		memcpy(data, p, n);
	else
		memset(data, 0, n);
}

uint32_t save_get32(struct save_cursor *c)
{
	const uint8_t *p = save_take(c, 4);

	return p ? ld_le32(p) : 0;
}

uint64_t save_get64(struct save_cursor *c)
{
	const uint8_t *p = save_take(c, 8);

	return p ? ld_le64(p) : 0;
}

char *save_get_string(struct save_cursor *c)
{
	uint32_t n = save_get32(c);
	const uint8_t *p;
	char *s;

	if (c->bad || n == NO_STRING)
		return NULL;
	p = save_take(c, n);
	if (!p || memchr(p, 0, n)) {
		c->bad = true;
		return NULL;
	}
	s = malloc((size_t)n + 1);
	if (!s) {
		c->bad = true;
		return NULL;
	}
	memcpy(s, p, n);
	s[n] = 0;
	return s;
}
