// Loaded before libfaketime, which moves every absolute timer as if it were one of the wall clock: those of a process
// would then come late by as much as its clock is behind, or all at once. Dispatch sets absolute ones of other clocks.
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <unistd.h>

int timerfd_settime(int timer, int flags, const struct itimerspec *value, struct itimerspec *before) {
    return (int)syscall(SYS_timerfd_settime, timer, flags, value, before);
}
