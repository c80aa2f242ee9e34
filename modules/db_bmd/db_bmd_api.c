/*
 * db_bmd_api.c - Kamailio's database functions of the scheme "bmd"
 * SPDX-License-Identifier: GPL-2.0-or-later
 * A connection is one of db_postgres.  What bmd does not keep is written through it at once.
 */
#include "bmd_kamailio.h"
#include "db_bmd.h"

#include <stdio.h>
#include <string.h>

static db_func_t postgres;
static int kept_last; /* the last thing this process wrote waits here */

static str *address(void)
{
	static char text[512];
	static str url = {text, 0};
	int length = snprintf(text, sizeof text, "postgres:///%s", db_bmd_core.db_url);

	if(length >= (int)sizeof text) {
		LM_ERR("bmd's db_url is longer than %d characters\n", (int)sizeof text - 13);
		return NULL;
	}
	url.len = length;
	return &url;
}

static db1_con_t *db_init(const str *url)
{
	str *there = address();

	(void)url;
	return there == NULL ? NULL : postgres.init(there);
}

static db1_con_t *db_init2(const str *url, db_pooling_t pooling)
{
	str *there = address();

	(void)url;
	return there == NULL ? NULL : postgres.init2(there, pooling);
}

static struct bmd_text table_of(const db1_con_t *connection)
{
	const str *table = CON_TABLE(connection);
	struct bmd_text text = {"", 0};

	if(table != NULL && table->s != NULL) {
		text.s = table->s;
		text.len = (size_t)table->len;
	}
	return text;
}

/* 0 kept, 1 to be written at once, -1 failed. */
static int keep(const db1_con_t *connection, enum bmd_row_action action,
		const struct db_bmd_cells *where, const struct db_bmd_cells *cells)
{
	struct bmd_row row = {.action = action, .table = table_of(connection)};
	int kept;

	if(where != NULL) {
		row.where = where->cell;
		row.where_count = where->count;
	}
	if(cells != NULL) {
		row.cells = cells->cell;
		row.cell_count = cells->count;
	}
	kept = db_bmd_core.keep_row(&row);
	kept_last = kept == 0;
	if(kept < 0)
		LM_ERR("no memory to keep a row of %.*s\n", (int)row.table.len, row.table.s);
	return kept;
}

/* What was written last is not known when the call returns: taken for done. */
static int db_affected_rows(const db1_con_t *connection)
{
	return kept_last ? 1 : postgres.affected_rows(connection);
}

static int put(const db1_con_t *connection, enum bmd_row_action action, const db_key_t *names,
		const db_val_t *values, int count)
{
	static struct db_bmd_cells cells;

	kept_last = 0;
	if(db_bmd_fill(&cells, names, NULL, values, count) < 0)
		return 1;
	return keep(connection, action, NULL, &cells);
}

static int db_insert(
		const db1_con_t *connection, const db_key_t *names, const db_val_t *values, const int count)
{
	int kept = put(connection, BMD_ROW_PUT, names, values, count);

	return kept <= 0 ? kept : postgres.insert(connection, names, values, count);
}

static int db_insert_update(
		const db1_con_t *connection, const db_key_t *names, const db_val_t *values, const int count)
{
	int kept = put(connection, BMD_ROW_REPLACE, names, values, count);

	return kept <= 0 ? kept : postgres.insert_update(connection, names, values, count);
}

static int db_replace(const db1_con_t *connection, const db_key_t *names, const db_val_t *values,
		const int count, const int unique, const int mode)
{
	int kept = put(connection, BMD_ROW_REPLACE, names, values, count);

	return kept <= 0 ? kept : postgres.replace(connection, names, values, count, unique, mode);
}

static int db_delete(const db1_con_t *connection, const db_key_t *names, const db_op_t *ops,
		const db_val_t *values, const int count)
{
	static struct db_bmd_cells where;
	int kept = 1;

	kept_last = 0;
	if(db_bmd_fill(&where, names, ops, values, count) == 0)
		kept = keep(connection, BMD_ROW_REMOVE, &where, NULL);
	return kept <= 0 ? kept : postgres.delete(connection, names, ops, values, count);
}

static int db_update(const db1_con_t *connection, const db_key_t *names, const db_op_t *ops,
		const db_val_t *values, const db_key_t *new_names, const db_val_t *new_values,
		const int count, const int new_count)
{
	static struct db_bmd_cells where, cells;
	int kept = 1;

	kept_last = 0;
	if(db_bmd_fill(&where, names, ops, values, count) == 0
			&& db_bmd_fill(&cells, new_names, NULL, new_values, new_count) == 0)
		kept = keep(connection, BMD_ROW_UPDATE, &where, &cells);
	if(kept <= 0)
		return kept;
	return postgres.update(connection, names, ops, values, new_names, new_values, count, new_count);
}

/* Rows that wait are not in the answer of the database: better none than a wrong one. */
static int db_query(const db1_con_t *connection, const db_key_t *names, const db_op_t *ops,
		const db_val_t *values, const db_key_t *columns, const int count, const int column_count,
		const db_key_t order, db1_res_t **result)
{
	struct bmd_text table = table_of(connection);

	if(db_bmd_core.rows_wait(table)) {
		LM_WARN("%.*s is not read while rows of it wait for the database\n", (int)table.len,
				table.s);
		return -1;
	}
	return postgres.query(
			connection, names, ops, values, columns, count, column_count, order, result);
}

int db_bmd_bind_api(db_func_t *functions)
{
	db_bind_api_f bind;

	if(functions == NULL)
		return -1;
	bind = (db_bind_api_f)find_mod_export("db_postgres", "db_bind_api", 0, 0);
	if(bind == NULL || bind(&postgres) < 0) {
		LM_ERR("load db_postgres.so\n");
		return -1;
	}
	*functions = postgres;
	functions->init = db_init;
	functions->init2 = db_init2;
	functions->query = db_query;
	functions->insert = db_insert;
	functions->insert_update = db_insert_update;
	functions->replace = db_replace;
	functions->delete = db_delete;
	functions->update = db_update;
	functions->affected_rows = db_affected_rows;
	functions->insert_async = NULL;
	return 0;
}
