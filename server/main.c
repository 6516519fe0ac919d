/* SPDX-License-Identifier: MIT
 *
 * main.c - the verbs are rows of cli/verbs.c; the server starts in serve.c.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <sysexits.h>
#include <unistd.h>

#include "server/cli/cli.h"
#include "server/routes.h"
#include "server/serve.h"

/* A stream that we were started without is a number that the next file opened
 * would get, the store's among them: what is printed would be written over it.
 * Opened for reading, so that who prints is told that nobody hears it. */
static void keep_streams_apart(void)
{
	for (int fd = 0; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDONLY) != fd)
			exit(EX_OSERR);
}

int main(int argc, char **argv)
{
	const struct cli_server server = {.serve = serve,
					  .routes = routes_describe};

	keep_streams_apart();
	return cli_main(argc, argv, &server);
}
