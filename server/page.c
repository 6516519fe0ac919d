/* SPDX-License-Identifier: MIT
 *
 * page.c - see page.h.
 */
#include "server/page.h"

#include <stdio.h>
#include <string.h>

/* A file of server/page/ as it was when this was built; the build runs in the
 * root of the source. */
#define FILE_OF(symbol, name)                                                 \
	__asm__(".section .rodata\n"                                          \
		".global page_" #symbol "\n"                                  \
		".global page_" #symbol "_end\n"                              \
		"page_" #symbol ":\n"                                         \
		".incbin \"server/page/" name "\"\n"                          \
		"page_" #symbol "_end:\n"                                     \
		".byte 0\n"                                                   \
		".text\n");                                                   \
	extern const char page_##symbol[], page_##symbol##_end[]

FILE_OF(index, "index.html");
FILE_OF(style, "style.css");
FILE_OF(answer, "answer.js");
FILE_OF(api, "api.js");
FILE_OF(dom, "dom.js");
FILE_OF(live, "live.js");
FILE_OF(main, "main.js");
FILE_OF(print, "print.js");
FILE_OF(ship, "ship.js");
FILE_OF(sound, "sound.js");
FILE_OF(sw, "sw.js");
FILE_OF(texts, "texts.js");
FILE_OF(manifest, "manifest.webmanifest");
FILE_OF(icon, "icon.svg");

#define ETAG_SIZE 25 /* of 11 bytes: "\"22 digits\"" and the NUL */

#define HTML	 "text/html; charset=utf-8"
#define CSS	 "text/css; charset=utf-8"
#define JS	 "text/javascript; charset=utf-8"
#define MANIFEST "application/manifest+json"
#define SVG	 "image/svg+xml"

static struct file {
	const char *name; /* the last segment of its path */
	const char *type;
	const char *bytes, *end;
	char etag[ETAG_SIZE]; /* made when it is first asked for */
} files[] = {
	{"", HTML, page_index, page_index_end, ""},
	{"style.css", CSS, page_style, page_style_end, ""},
	{"answer.js", JS, page_answer, page_answer_end, ""},
	{"api.js", JS, page_api, page_api_end, ""},
	{"dom.js", JS, page_dom, page_dom_end, ""},
	{"live.js", JS, page_live, page_live_end, ""},
	{"main.js", JS, page_main, page_main_end, ""},
	{"print.js", JS, page_print, page_print_end, ""},
	{"ship.js", JS, page_ship, page_ship_end, ""},
	{"sound.js", JS, page_sound, page_sound_end, ""},
	{"texts.js", JS, page_texts, page_texts_end, ""},
	{"icon.svg", SVG, page_icon, page_icon_end, ""},
	{"sw.js", JS, page_sw, page_sw_end, ""},
	{"manifest.webmanifest", MANIFEST, page_manifest, page_manifest_end,
	 ""},
};

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
