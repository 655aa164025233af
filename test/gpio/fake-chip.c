/*
 * A GPIO chip without a kernel: answers the calls of the character device (linux/gpio.h, version 2) for a process that it is preloaded into.
 *
 * FAKE_GPIO_FOLDER holds the chip, which chip.ts makes: `lineN` is a FIFO through which the edges of a line come, written as the kernel's
 * events by whoever presses; `grounded` and `lamps` hold a byte for each line, what a test has put to ground and what the process has lit.
 * `takenN` names somebody else who holds a line. The chip's device is an empty file: what stands for a line is the FIFO, so that poll(2) and
 * read(2) are the real ones.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/gpio.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LINES 54
#define DESCRIPTORS 4096

/* What each descriptor stands for: a line and one more, or nothing. */
static struct {
  int line_and_one;
  ino_t fifo;
  unsigned long long flags;
  char consumer[GPIO_MAX_NAME_SIZE];
} held[DESCRIPTORS];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static int in_folder(char *path, size_t size, const char *name, int line) {
  const char *folder = getenv("FAKE_GPIO_FOLDER");
  if (folder == NULL) return 0;
  if (line < 0) snprintf(path, size, "%s/%s", folder, name);
  else snprintf(path, size, "%s/%s%d", folder, name, line);
  return 1;
}

/* True while a descriptor is still that of its line: Node closes by the bare system call, of which nobody hears. */
static int is_open(int fd) {
  struct stat now;
  return held[fd].line_and_one != 0 && fstat(fd, &now) == 0 && now.st_ino == held[fd].fifo;
}

/* Who holds a line; NULL where nobody does. */
static const char *holder_of(int line) {
  static char other[GPIO_MAX_NAME_SIZE];
  char path[512];
  for (int i = 0; i < DESCRIPTORS; i++)
    if (held[i].line_and_one == line + 1 && is_open(i)) return held[i].consumer;
  in_folder(path, sizeof path, "taken", line);
  FILE *file = fopen(path, "r");
  if (file == NULL) return NULL;
  if (fgets(other, sizeof other, file) == NULL) other[0] = 0;
  fclose(file);
  return other;
}

static int byte_of(const char *name, int line, int value) {
  char path[512];
  in_folder(path, sizeof path, name, -1);
  int fd = open(path, O_RDWR | O_CLOEXEC);
  if (fd < 0) return -1;
  unsigned char byte = (unsigned char)value;
  ssize_t done = value < 0 ? pread(fd, &byte, 1, line) : pwrite(fd, &byte, 1, line);
  close(fd);
  return done == 1 ? byte : -1;
}

static int get_line(struct gpio_v2_line_request *request) {
  int line = (int)request->offsets[0];
  char path[512];
  if (request->num_lines != 1 || line >= LINES) { errno = EINVAL; return -1; }
  if (holder_of(line) != NULL) { errno = EBUSY; return -1; }
  in_folder(path, sizeof path, "line", line);
  int fd = open(path, O_RDWR | O_CLOEXEC);
  if (fd < 0 || fd >= DESCRIPTORS) { errno = ENODEV; return -1; }
  struct stat fifo;
  fstat(fd, &fifo);
  held[fd].line_and_one = line + 1;
  held[fd].fifo = fifo.st_ino;
  held[fd].flags = request->config.flags;
  memcpy(held[fd].consumer, request->consumer, GPIO_MAX_NAME_SIZE);
  if (request->config.flags & GPIO_V2_LINE_FLAG_OUTPUT) byte_of("lamps", line, 0);
  request->fd = fd;
  return 0;
}

static int line_info(struct gpio_v2_line_info *info) {
  const char *holder = holder_of((int)info->offset);
  if (info->offset >= LINES) { errno = EINVAL; return -1; }
  info->flags = holder == NULL ? 0 : GPIO_V2_LINE_FLAG_USED;
  strncpy(info->consumer, holder == NULL ? "" : holder, GPIO_MAX_NAME_SIZE - 1);
  return 0;
}

static int values(int fd, struct gpio_v2_line_values *values, int is_set) {
  int line = fd >= 0 && fd < DESCRIPTORS && is_open(fd) ? held[fd].line_and_one - 1 : -1;
  if (line < 0) { errno = ENOTTY; return -1; }
  int is_output = (held[fd].flags & GPIO_V2_LINE_FLAG_OUTPUT) != 0;
  if (is_set && !is_output) { errno = EPERM; return -1; }
  int found = is_set ? byte_of("lamps", line, (int)(values->bits & values->mask & 1))
                     : byte_of(is_output ? "lamps" : "grounded", line, -1);
  if (found < 0) { errno = ENODEV; return -1; }
  if (!is_set) values->bits = (unsigned long long)found;
  return 0;
}

int ioctl(int fd, unsigned long request, ...) {
  static int (*real)(int, unsigned long, void *);
  va_list rest;
  va_start(rest, request);
  void *argument = va_arg(rest, void *);
  va_end(rest);
  if (_IOC_TYPE(request) != 0xb4) {
    if (real == NULL) real = (int (*)(int, unsigned long, void *))dlsym(RTLD_NEXT, "ioctl");
    return real(fd, request, argument);
  }
  int result = -1;
  pthread_mutex_lock(&lock);
  switch (request) {
    case GPIO_GET_CHIPINFO_IOCTL: {
      struct gpiochip_info *info = argument;
      memset(info, 0, sizeof *info);
      strcpy(info->name, "gpiochip0");
      strcpy(info->label, "pinctrl-bcm2711");
      info->lines = LINES;
      result = 0;
      break;
    }
    case GPIO_V2_GET_LINE_IOCTL: result = get_line(argument); break;
    case GPIO_V2_GET_LINEINFO_IOCTL: result = line_info(argument); break;
    case GPIO_V2_LINE_GET_VALUES_IOCTL: result = values(fd, argument, 0); break;
    case GPIO_V2_LINE_SET_VALUES_IOCTL: result = values(fd, argument, 1); break;
    default: errno = ENOTTY;
  }
  pthread_mutex_unlock(&lock);
  return result;
}
