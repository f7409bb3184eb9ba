#include <sqlite3.h>
#include <stdint.h>

/// Makes SQLite stop counting its memory, which would take one lock of the whole process at each allocation.
///
/// It must be called before anything else of SQLite is. Swift cannot call `sqlite3_config` itself: it is variadic.
static inline int latchkey_sqlite_count_no_memory(void) { return sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0); }

/// The beginning of the index of SQLite's write-ahead log (https://sqlite.org/walformat.html, 2.1 and 2.2): both copies of its
/// header, which every commit and every recovery change, and how far the log has been copied back.
typedef struct {
    uint32_t words[25];
} latchkey_log_state;

/// The index of a connection's log in the memory that all processes share, or NULL when there is none of the known form.
///
/// It stays where it is for as long as the connection is open.
static inline const volatile uint32_t *latchkey_log_index(sqlite3 *connection) {
    static const uint32_t known_form = 3007000;
    sqlite3_file *file = 0;
    volatile void *index = 0;
    if (sqlite3_file_control(connection, "main", SQLITE_FCNTL_FILE_POINTER, &file) != SQLITE_OK) return 0;
    if (!file || !file->pMethods || file->pMethods->iVersion < 2 || !file->pMethods->xShmMap) return 0;
    if (file->pMethods->xShmMap(file, 0, 32768, 0, &index) != SQLITE_OK || !index) return 0;
    return *(const volatile uint32_t *)index == known_form ? index : 0;
}

/// Copies the state out of the index.
static inline latchkey_log_state latchkey_log_state_of(const volatile uint32_t *index) {
    latchkey_log_state state;
    for (int word = 0; word < 25; word++) state.words[word] = index[word];
    __atomic_thread_fence(__ATOMIC_ACQUIRE);
    return state;
}

/// Whether the index still says what it said.
static inline int latchkey_log_is_unchanged(const volatile uint32_t *index, const latchkey_log_state *state) {
    uint32_t changed = 0;
    for (int word = 0; word < 25; word++) changed |= index[word] ^ state->words[word];
    __atomic_thread_fence(__ATOMIC_ACQUIRE);
    return changed == 0;
}
