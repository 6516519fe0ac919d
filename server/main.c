/* SPDX-License-Identifier: MIT
 *
 * main.c - the verbs are rows of cli_verbs.c; the server starts in serve.c.
 */
#include "server/cli.h"

int main(int argc, char **argv)
{
	return cli_main(argc, argv);
}
