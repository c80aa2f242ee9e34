/*
 * db_bmd.h - what the files of db_bmd share
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef DB_BMD_H
#define DB_BMD_H

#include "../bmd/bmd_api.h"
#include "lib/srdb1/db.h"

extern bmd_api_t db_bmd_core;

/* Fills in the functions of the scheme; -1 when db_postgres is not there. */
int db_bmd_bind_api(db_func_t *functions);

#define DB_BMD_MOST_CELLS 40
struct db_bmd_cells
{
	int count;
	struct bmd_cell cell[DB_BMD_MOST_CELLS];
	char number[DB_BMD_MOST_CELLS][32]; /* texts of values that are none */
};

/* Columns and values as texts; points into them.  `ops` may be NULL: all "=".  -1 when there are
 * too many, or one has a type that is not kept as text. */
int db_bmd_fill(struct db_bmd_cells *cells, const db_key_t *names, const db_op_t *ops,
		const db_val_t *values, int count);

#endif
