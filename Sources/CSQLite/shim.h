#include <sqlite3.h>

/// Makes SQLite stop counting its memory, which would take one lock of the whole process at each allocation.
///
/// It must be called before anything else of SQLite is. Swift cannot call `sqlite3_config` itself: it is variadic.
static inline int latchkey_sqlite_count_no_memory(void) { return sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0); }
