/* SPDX-License-Identifier: MIT
 *
 * real.h - what a library of this folder stands before (LD_PRELOAD).
 */
#ifndef FAULTS_REAL_H
#define FAULTS_REAL_H

#include <dlfcn.h>
#include <stdatomic.h>

/* The function of that name behind this library. */
#define REAL(type, name)                                                      \
	({                                                                    \
		static _Atomic(void *) found;                                 \
		if (!found)                                                   \
			found = dlsym(RTLD_NEXT, name);                       \
		(type)found;                                                  \
	})

#endif
