/* SPDX-License-Identifier: MIT
 *
 * page.c - see page.h.
 */
#include "server/page/page.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "base/hex.h"
#include "server/access/token.h"

#define HTML	 "text/html; charset=utf-8"
#define CSS	 "text/css; charset=utf-8"
#define JS	 "text/javascript; charset=utf-8"
#define MANIFEST "application/manifest+json"
#define SVG	 "image/svg+xml"

/* The files of server/page/, as X(symbol, file, type).  The first is served as
 * `/`, each other under its name. */
#define FILES(X)                                                              \
	X(index, "index.html", HTML)                                          \
	X(style, "style.css", CSS)                                            \
	X(answer, "answer.js", JS)                                            \
	X(api, "api.js", JS)                                                  \
	X(back, "back.js", JS)                                                \
	X(bar, "bar.js", JS)                                                  \
	X(changes, "changes.js", JS)                                          \
	X(codes, "codes.js", JS)                                              \
	X(count, "count.js", JS)                                              \
	X(deliveries, "deliveries.js", JS)                                    \
	X(dialogs, "dialogs.js", JS)                                          \
	X(dom, "dom.js", JS)                                                  \
	X(done, "done.js", JS)                                                \
	X(extras, "extras.js", JS)                                            \
	X(goods, "goods.js", JS)                                              \
	X(guard, "guard.js", JS)                                              \
	X(head, "head.js", JS)                                                \
	X(lists, "lists.js", JS)                                              \
	X(live, "live.js", JS)                                                \
	X(main, "main.js", JS)                                                \
	X(menu, "menu.js", JS)                                                \
	X(news, "news.js", JS)                                                \
	X(parts, "parts.js", JS)                                              \
	X(people, "people.js", JS)                                            \
	X(print, "print.js", JS)                                              \
	X(results, "results.js", JS)                                          \
	X(returns, "returns.js", JS)                                          \
	X(ringing, "ringing.js", JS)                                          \
	X(scanner, "scanner.js", JS)                                          \
	X(ship, "ship.js", JS)                                                \
	X(signin, "signin.js", JS)                                            \
	X(sound, "sound.js", JS)                                              \
	X(stops, "stops.js", JS)                                              \
	X(story, "story.js", JS)                                              \
	X(storage, "storage.js", JS)                                          \
	X(sw, "sw.js", JS)                                                    \
	X(tabs, "tabs.js", JS)                                                \
	X(texts, "texts.js", JS)                                              \
	X(timeline, "timeline.js", JS)                                        \
	X(ui, "ui.js", JS)                                                    \
	X(update, "update.js", JS)                                            \
	X(views, "views.js", JS)                                              \
	X(icon, "icon.svg", SVG)                                              \
	X(manifest, "manifest.webmanifest", MANIFEST)

/* Embeds the bytes of a file at build time; the build runs in the root of the
 * source. */
#define EMBED(symbol, name, type)                                             \
	__asm__(".section .rodata\n"                                          \
		".global page_" #symbol "\n"                                  \
		".global page_" #symbol "_end\n"                              \
		"page_" #symbol ":\n"                                         \
		".incbin \"server/page/" name "\"\n"                          \
		"page_" #symbol "_end:\n"                                     \
		".byte 0\n"                                                   \
		".text\n");                                                   \
	extern const char page_##symbol[], page_##symbol##_end[];

FILES(EMBED)

#define HASH_TEXT    11 /* bytes of a hash that are shown, as hex digits */
#define ETAG_SIZE    (2 * HASH_TEXT + 3) /* bytes of an etag, with its quotes
					  * and the NUL */
#define VERSION_SIZE (2 * HASH_TEXT + 1)
#define FILE_MAX     ((size_t)1 << 20)

#define ROW(symbol, name, type)                                               \
	{name, type, page_##symbol, page_##symbol##_end, {0}, ""},

static struct file {
	const char *name; /* in server/page/ */
	const char *type;
	const char *bytes, *end;
	struct buf served; /* `bytes` with the page's version put in; kept for
			    * good */
	char etag[ETAG_SIZE];
} files[] = {FILES(ROW)};

#define FILES_N (sizeof(files) / sizeof(files[0]))

static struct {
	pthread_once_t made; /* guards the making of the served files and the
			      * version */
	char version[VERSION_SIZE];
} page = {.made = PTHREAD_ONCE_INIT};

/* Adds the start of a hash of the bytes as hex digits; adds nothing if there is
 * no SHA-256. */
static void hash_text(char *to, const char *bytes, size_t len)
{
	unsigned char hash[TOKEN_HASH_SIZE] = {0};

	if (token_digest(hash, bytes, len))
		return;
	hex_write(to, hash, HASH_TEXT);
}

static void make_version(void)
{
	struct buf all;

	buf_init(&all, FILES_N * FILE_MAX);
	for (size_t i = 0; i < FILES_N; i++)
		(void)!buf_add(&all, files[i].bytes,
			       (size_t)(files[i].end - files[i].bytes));
	hash_text(page.version, all.data, all.len);
	buf_release(&all);
}

/* Copies the file to b.  PAGE_VERSION becomes the version, and each import of a
 * module gets the version in its address, so that a browser never mixes modules
 * of two releases. */
static void put_version(struct buf *b, const struct file *f)
{
	static const char word[] = "PAGE_VERSION", import[] = ".js\";";
	const char *at = f->bytes, *from = at;

	for (; at < f->end; at++) {
		bool is_word = !strncmp(at, word, sizeof(word) - 1);

		if (!is_word && strncmp(at, import, sizeof(import) - 1) != 0)
			continue;
		(void)!buf_add(b, from, (size_t)(at - from));
		buf_fmt(b, is_word ? "%s" : ".js?v=%s\";", page.version);
		at += (is_word ? sizeof(word) : sizeof(import)) - 2;
		from = at + 1;
	}
	(void)!buf_add(b, from, (size_t)(f->end - from));
}

static void make_files(void)
{
	make_version();
	for (size_t i = 0; i < FILES_N; i++) {
		struct file *f = &files[i];
		char hash[VERSION_SIZE] = "";

		buf_init(&f->served, FILE_MAX);
		put_version(&f->served, f);
		/* A file without a hash has no etag: browsers get it anew each
		 * time. */
		hash_text(hash, f->served.data, f->served.len);
		if (*hash)
			snprintf(f->etag, sizeof(f->etag), "\"%s\"", hash);
	}
}

static void make_once(void)
{
	pthread_once(&page.made, make_files);
}

const char *page_version(void)
{
	make_once();
	return page.version;
}

static void send_file(struct response *res, const struct file *f)
{
	/* If it does not fit, the buf is marked full, and the send code checks
	 * that. */
	(void)!buf_add(&res->body, f->served.data, f->served.len);
	res->status = 200;
	res->type = f->type;
	res->page = true;
	res->etag = *f->etag ? f->etag : NULL;
}

void show_page(struct request *req, struct response *res)
{
	(void)req;
	make_once();
	send_file(res, &files[0]);
}

void show_page_file(struct request *req, struct response *res)
{
	const char *name = strrchr(req->path, '/') + 1;
	const char *wanted = request_query(req, "v");
	bool ours;

	make_once();
	/* The request names the page's version.  We only have the files of this
	 * one. */
	ours = !wanted || !strcmp(wanted, page.version);
	for (size_t i = 1; ours && i < FILES_N; i++)
		if (!strcmp(files[i].name, name)) {
			send_file(res, &files[i]);
			return;
		}
	respond_problem(res, 404, "not_found",
			"there is nothing at this address");
}
