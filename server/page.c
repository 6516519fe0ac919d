/* SPDX-License-Identifier: MIT
 *
 * page.c - see page.h.
 */
#include "server/page.h"

#include <stdio.h>
#include <string.h>

#define HTML	 "text/html; charset=utf-8"
#define CSS	 "text/css; charset=utf-8"
#define JS	 "text/javascript; charset=utf-8"
#define MANIFEST "application/manifest+json"
#define SVG	 "image/svg+xml"

/* The files of server/page/, as X(symbol, file, type).  The first is served as
 * `/`, the others as the last segment of their path. */
#define FILES(X)                                                              \
	X(index, "index.html", HTML)                                          \
	X(style, "style.css", CSS)                                            \
	X(answer, "answer.js", JS)                                            \
	X(api, "api.js", JS)                                                  \
	X(dialogs, "dialogs.js", JS)                                          \
	X(dom, "dom.js", JS)                                                  \
	X(done, "done.js", JS)                                                \
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
	X(ringing, "ringing.js", JS)                                          \
	X(ship, "ship.js", JS)                                                \
	X(signin, "signin.js", JS)                                            \
	X(sound, "sound.js", JS)                                              \
	X(stops, "stops.js", JS)                                              \
	X(storage, "storage.js", JS)                                          \
	X(sw, "sw.js", JS)                                                    \
	X(tabs, "tabs.js", JS)                                                \
	X(texts, "texts.js", JS)                                              \
	X(ui, "ui.js", JS)                                                    \
	X(views, "views.js", JS)                                              \
	X(icon, "icon.svg", SVG)                                              \
	X(manifest, "manifest.webmanifest", MANIFEST)

/* The bytes of a file at build time; the build runs in the source's root. */
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

#define ETAG_SIZE 25 /* of 11 bytes: "\"22 digits\"" and the NUL */

#define ROW(symbol, name, type)                                               \
	{name, type, page_##symbol, page_##symbol##_end, ""},

static struct file {
	const char *name; /* in server/page/ */
	const char *type;
	const char *bytes, *end;
	char etag[ETAG_SIZE]; /* made when it is first asked for */
} files[] = {FILES(ROW)};

static void make_etag(struct file *f)
{
	unsigned char hash[TOKEN_HASH_SIZE] = {0};
	char *p = f->etag;

	/* Without a hash there is no etag, and the file is sent each time. */
	if (token_digest(hash, f->bytes, (size_t)(f->end - f->bytes)))
		return;
	*p++ = '"';
	for (size_t i = 0; i < 11; i++, p += 2)
		snprintf(p, 3, "%02x", hash[i]);
	*p++ = '"';
	*p = '\0';
}

static void send_file(struct response *res, struct file *f)
{
	if (!*f->etag)
		make_etag(f);
	/* The result is asked of the buf when it is sent. */
	(void)!buf_add(&res->body, f->bytes, (size_t)(f->end - f->bytes));
	res->status = 200;
	res->type = f->type;
	res->page = true;
	res->etag = *f->etag ? f->etag : NULL;
}

void show_page(struct request *req, struct response *res)
{
	(void)req;
	send_file(res, &files[0]);
}

void show_page_file(struct request *req, struct response *res)
{
	const char *name = strrchr(req->path, '/') + 1;

	for (size_t i = 1; i < sizeof(files) / sizeof(files[0]); i++)
		if (!strcmp(files[i].name, name)) {
			send_file(res, &files[i]);
			return;
		}
	respond_problem(res, 404, "not_found",
			"there is nothing at this address");
}
