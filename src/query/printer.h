/*
 * A tree back to text, as Prometheus prints it. The result parses to an equal tree. Any thread.
 */
#ifndef SN_QUERY_PRINTER_H
#define SN_QUERY_PRINTER_H

#include "base/buf.h"
#include "query/ast.h"

/* Append the compact form, one line: String() of Prometheus. */
void sn_node_print(const struct sn_node *node, struct sn_buf *buf);

/* Append the form of format_query: broken into indented lines where 100 columns are exceeded. */
void sn_node_print_pretty(const struct sn_node *node, struct sn_buf *buf);

/* "+", "and", "sum": as in queries. */
const char *sn_binary_op_name(enum sn_binary_op op);
const char *sn_aggregate_op_name(enum sn_aggregate_op op);

#endif
