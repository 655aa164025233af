/*
 * skewed-clock: gives one process a crystal of its own, for tests of clocks on one machine (LD_PRELOAD).
 *
 * Processes on one machine share its clock, so a clock of the cluster that always answered "no difference" would look perfect there. Under this
 * library the monotonic clocks of a process run faster than the machine's by a constant and by a slow wander, as crystals do in rooms
 * that warm up and cool down. An offset is not its business: a time namespace gives that (time_namespaces(7)).
 *
 * It takes the place of clock_gettime(2), which everything that asks in user space goes through: libuv, the C++ library, alsa-lib, and
 * whoever looks the symbol up by name. A raw system call still reads the machine's own clock; the test card does so, because it is not part of the
 * node. Waiting is the kernel's and stays as it is: nobody notices a timer that is 30 ppm off, but a wait for an *absolute* instant
 * would be early or late by all that the clock has gained so far; Node makes none that lasts.
 *
 *   SKEWED_CLOCK_PPM     by how much faster the clock runs, parts per million; 0 by default
 *   SKEWED_CLOCK_WANDER  how far the rate wanders around that, ppm (the most, reached rarely); 0 by default
 *   SKEWED_CLOCK_SEED    phases of the wander: 0 by default
 *   SKEWED_CLOCK_BASE    the instant, in nanoseconds of the CLOCK_MONOTONIC_RAW that this process would read without the library, at which
 *                        nothing was gained yet: the same for every process of one node, or its clock would step when it is started again.
 *                        The start of the process by default
 *
 * What was gained after t is an integral in closed form, so there is no state, no lock, and two threads never disagree.
 *
 *   cc -O2 -shared -fPIC -o skewed-clock.so skewed-clock.c -ldl -lm
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <math.h>
#include <stdlib.h>
#include <time.h>

#define NS_PER_S 1000000000LL

/* Periods of the wander, seconds: they have no common multiple within an hour, so the rate never repeats itself in a test. */
static const double PERIODS_S[] = {23, 61, 173, 419};
#define WAVES (sizeof PERIODS_S / sizeof PERIODS_S[0])

typedef int clock_gettime_fn(clockid_t, struct timespec *);

static clock_gettime_fn *kernel_clock;
static double ppm;
static double wander_ppm;
static double phases[WAVES];
static long long base_ns;
static int is_ready;

static long long nanoseconds(const struct timespec *at) { return at->tv_sec * NS_PER_S + at->tv_nsec; }

static double number(const char *name, double otherwise) {
  const char *text = getenv(name);
  return text == NULL ? otherwise : strtod(text, NULL);
}

/* The dynamic loader runs this before anything else of the process but other libraries' own beginnings. */
__attribute__((constructor)) static void begin(void) {
  kernel_clock = (clock_gettime_fn *)dlsym(RTLD_NEXT, "clock_gettime");
  ppm = number("SKEWED_CLOCK_PPM", 0);
  wander_ppm = number("SKEWED_CLOCK_WANDER", 0);
  /* A linear congruential generator (Numerical Recipes, 7.1): all that a phase needs. */
  unsigned seed = (unsigned)number("SKEWED_CLOCK_SEED", 0);
  for (size_t i = 0; i < WAVES; i++) {
    seed = seed * 1664525u + 1013904223u;
    phases[i] = 2 * M_PI * (seed / 4294967296.0);
  }
  const char *base = getenv("SKEWED_CLOCK_BASE");
  struct timespec now;
  kernel_clock(CLOCK_MONOTONIC_RAW, &now);
  base_ns = base == NULL ? nanoseconds(&now) : strtoll(base, NULL, 10);
  is_ready = 1;
}

/* What the clock has gained `elapsed_ns` after the base: the integral of its rate. Nanoseconds. */
static double gained(long long elapsed_ns) {
  double seconds = elapsed_ns / 1e9;
  double ppm_seconds = ppm * seconds;
  for (size_t i = 0; i < WAVES; i++) {
    double turns = 2 * M_PI / PERIODS_S[i];
    ppm_seconds += wander_ppm / WAVES / turns * (cos(phases[i]) - cos(turns * seconds + phases[i]));
  }
  /* A second of one part per million is a microsecond. */
  return ppm_seconds * 1000;
}

int clock_gettime(clockid_t id, struct timespec *at) {
  if (!is_ready) begin();
  int failed = kernel_clock(id, at);
  int is_crystal =
      id == CLOCK_MONOTONIC || id == CLOCK_MONOTONIC_RAW || id == CLOCK_MONOTONIC_COARSE || id == CLOCK_BOOTTIME;
  if (failed != 0 || !is_crystal) return failed;
  /* The raw clock says how much time the crystal had: NTP bends CLOCK_MONOTONIC, and both come from one crystal. */
  struct timespec raw = *at;
  if (id != CLOCK_MONOTONIC_RAW) kernel_clock(CLOCK_MONOTONIC_RAW, &raw);
  long long ns = nanoseconds(at) + llround(gained(nanoseconds(&raw) - base_ns));
  at->tv_sec = ns / NS_PER_S;
  at->tv_nsec = ns % NS_PER_S;
  return 0;
}
