/*
 * db_bmd_cells.c - Kamailio's database values as texts
 * SPDX-License-Identifier: GPL-2.0-or-later
 * In the forms in which db_postgres writes them and reads them again.
 */
#include "bmd_kamailio.h"
#include "db_bmd.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

static int put_time(struct bmd_text *text, char *number, size_t size, time_t moment)
{
	struct tm local;

	if(localtime_r(&moment, &local) == NULL)
		return -1;
	text->s = number;
	text->len = strftime(number, size, "%Y-%m-%d %H:%M:%S", &local);
	return text->len > 0 ? 0 : -1;
}

static int put_text(struct bmd_text *text, const char *s, size_t length)
{
	text->s = s == NULL ? "" : s; /* NULL would be NULL */
	text->len = s == NULL ? 0 : length;
	return 0;
}

static int put_value(struct bmd_text *text, char *number, size_t size, const db_val_t *value)
{
	int length;

	if(VAL_NULL(value)) {
		text->s = NULL;
		text->len = 0;
		return 0;
	}
	switch(VAL_TYPE(value)) {
		case DB1_STRING:
			return put_text(text, VAL_STRING(value),
					VAL_STRING(value) == NULL ? 0 : strlen(VAL_STRING(value)));
		case DB1_STR:
			return put_text(text, VAL_STR(value).s, (size_t)VAL_STR(value).len);
		case DB1_DATETIME:
			return put_time(text, number, size, VAL_TIME(value));
		case DB1_INT:
			length = snprintf(number, size, "%d", VAL_INT(value));
			break;
		case DB1_BITMAP:
			length = snprintf(number, size, "%u", VAL_BITMAP(value));
			break;
		case DB1_UINT:
			length = snprintf(number, size, "%u", VAL_UINT(value));
			break;
		case DB1_BIGINT:
			length = snprintf(number, size, "%lld", VAL_BIGINT(value));
			break;
		case DB1_UBIGINT:
			length = snprintf(number, size, "%llu", VAL_UBIGINT(value));
			break;
		case DB1_DOUBLE:
			length = snprintf(number, size, "%.2f", VAL_DOUBLE(value));
			break;
		default:
			return -1;
	}
	return put_text(text, number, (size_t)length);
}

int db_bmd_fill(struct db_bmd_cells *cells, const db_key_t *names, const db_op_t *ops,
		const db_val_t *values, int count)
{
	int i;

	cells->count = count;
	if(count > DB_BMD_MOST_CELLS)
		return -1;
	for(i = 0; i < count; i++) {
		struct bmd_cell *cell = &cells->cell[i];
		const char *op = ops == NULL ? "=" : ops[i];

		put_text(&cell->name, names[i]->s, (size_t)names[i]->len);
		put_text(&cell->op, op, strlen(op));
		if(put_value(&cell->value, cells->number[i], sizeof cells->number[i], &values[i]) < 0)
			return -1;
	}
	return 0;
}
