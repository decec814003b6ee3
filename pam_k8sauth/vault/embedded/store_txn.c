/* SPDX-License-Identifier: Apache-2.0 */
/* What a transaction of the store is made of, before it is handed over. */
#include "vault/embedded/store_internal.h"

#include <errno.h>

struct store_txn *store_txn_new(void)
{
	struct store_txn *txn = calloc(1, sizeof(*txn));

	if (txn)
		STAILQ_INIT(&txn->ops);
	return txn;
}

static void op_free(struct store_op *op)
{
	for (size_t i = 0; i < op->n_nodes; i++)
		free(op->nodes[i].name.data);
	free(op->nodes);
	free(op->value.data);
	free(op->meta_name);
	free(op->removed);
	free(op);
}

void store_txn_free(struct store_txn *txn)
{
	struct store_op *op;

	if (!txn)
		return;
	while ((op = STAILQ_FIRST(&txn->ops))) {
		STAILQ_REMOVE_HEAD(&txn->ops, link);
		op_free(op);
	}
	free(txn->entries);
	free(txn);
}

static struct store_op *op_new(struct store_txn *txn, enum store_op_kind kind, size_t n_nodes)
{
	struct store_op *op = calloc(1, sizeof(*op));

	if (!op)
		return NULL;
	op->nodes = calloc(n_nodes ? n_nodes : 1, sizeof(*op->nodes));
	if (!op->nodes) {
		free(op);
		return NULL;
	}
	op->kind = kind;
	op->n_nodes = n_nodes;
	STAILQ_INSERT_TAIL(&txn->ops, op, link);
	txn->n_ops++;
	return op;
}

int store_txn_put(struct store_txn *txn, const struct store_node *nodes, size_t n, struct store_blob value)
{
	struct store_op *op = op_new(txn, STORE_PUT, n);

	if (!op) {
		for (size_t i = 0; i < n; i++)
			free(nodes[i].name.data);
		free(value.data);
		return -ENOMEM;
	}
	memcpy(op->nodes, nodes, n * sizeof(*nodes));
	op->value = value;
	return 0;
}

static int remove_keys(struct store_txn *txn, enum store_op_kind kind, const struct store_key *keys, size_t n)
{
	struct store_op *op = op_new(txn, kind, n);

	if (!op)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++)
		op->nodes[i].key = keys[i];
	return 0;
}

int store_txn_delete(struct store_txn *txn, const struct store_key *keys, size_t n)
{
	return remove_keys(txn, STORE_DELETE, keys, n);
}

int store_txn_delete_tree(struct store_txn *txn, const struct store_key *keys, size_t n)
{
	return remove_keys(txn, STORE_DELETE_TREE, keys, n);
}

int store_txn_meta(struct store_txn *txn, const char *name, struct store_blob value)
{
	struct store_op *op = op_new(txn, STORE_META, 0);

	if (!op) {
		free(value.data);
		return -ENOMEM;
	}
	op->value = value;
	op->meta_name = strdup(name);
	return op->meta_name ? 0 : -ENOMEM;
}
