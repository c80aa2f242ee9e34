/*
 * bmd_kamailio.h - differences between the Kamailio releases we compile against, all in one place
 * SPDX-License-Identifier: GPL-2.0-or-later
 * 5.6 (Debian 12) is the target, 6.0 (Debian 13) compiles too.
 */
#ifndef BMD_KAMAILIO_H
#define BMD_KAMAILIO_H

#include "core/sr_module.h"

/* The loader reads these by name; everything else of a module is hidden. */
#define BMD_EXPORTED __attribute__((visibility("default")))

/* MODULE_VERSION defines three variables whose visibility must be set before it. */
extern BMD_EXPORTED char *module_version;
extern BMD_EXPORTED char *module_flags;
extern BMD_EXPORTED unsigned int module_interface_ver;

/* Headers of a local request in its tm cell, whole. */
#if VERSIONVAL >= 6000000
#define BMD_TM_FROM(cell) (&(cell)->from_hdr)
#define BMD_TM_CALL_ID(cell) (&(cell)->callid_hdr)
#else
#define BMD_TM_FROM(cell) (&(cell)->from)
#define BMD_TM_CALL_ID(cell) (&(cell)->callid)
#endif

#endif
