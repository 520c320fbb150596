/*
 * guc_sql.h
 *	  The settings retailml.*
 */
#ifndef RETAILML_GUC_SQL_H
#define RETAILML_GUC_SQL_H

#include <stdbool.h>
#include <stddef.h>

extern bool rml_guc_progress;

/* retailml.max_memory in bytes */
extern size_t rml_guc_max_memory_bytes(void);

/* threads a fit may use in this process, from retailml.threads and what PostgreSQL allows */
extern int rml_guc_effective_threads(void);

extern void rml_guc_define(void);

#endif /* RETAILML_GUC_SQL_H */
