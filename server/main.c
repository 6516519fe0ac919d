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

/* Opens /dev/null for stdin, stdout or stderr if the process was started
 * without it.  Otherwise the next file that is opened, the store for example,
 * would get that number, and output would be written into it. /dev/null is
 * opened for reading, so that writing to it fails visibly. */
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
