/*
 * A sound card that is not there, as alsa-lib sees a real one: an external I/O plug-in (ioplug) of type `tutti_card`.
 *
 * Problem: what has to be measured is which sample left which card when, on a machine without a card, for any program that plays through
 * ALSA. Approach: a crystal that runs at rate * (1 + ppm / 1e6) of the host's clock takes frames out of a queue, and everything that left
 * is written to a capture file with the instant at which it did. Nothing runs in the background: each call of alsa-lib first works out
 * what has left since the call before. So the card costs its player next to nothing, and is exact to the nanosecond however late the
 * player is.
 *
 * Times here are the host's CLOCK_MONOTONIC_RAW: the kernel is asked directly, past every preloaded library that gives the player another
 * clock, and the offset of a time namespace (TUTTI_CARD_CLOCK_OFFSET_NS) is taken off. The stamps that the player sees are alsa-lib's own,
 * read from the player's clock.
 *
 * A definition in asound.conf; everything but `type` may be left out:
 *
 *   pcm_type.tutti_card { lib "/path/of/the/library.so" }
 *   pcm.kitchen {
 *     type tutti_card
 *     ppm 80              # how much faster than nominal the crystal is
 *     wander 0.5          # the most that the rate changes from one second to the next, ppm: a random walk within ten such steps
 *     seed 1              # of the wander
 *     rates [ 48000 ]     # by default 8000 to 192000
 *     formats [ S16_LE ]  # by default S16_LE, S24_3LE, S24_LE, S32_LE; there is S16_BE too, which a player may not know
 *     channels [ 2 ]      # by default 1 to 8
 *     buffer_bytes 131072 # the longest queue
 *     step_us 10000       # the position that is told moves in such steps: the headphone jack of a Pi
 *     fifo 96             # frames that the card fetches ahead: they count as delay, though not as queued
 *     start_us 200        # from the start to the first frame
 *     capture "/path"     # see below
 *     control "/path"     # see struct control
 *   }
 *
 * The capture file: 64 bytes { char magic[16] = "TUTTI-CARD-1", u32 channels, u32 rate, u32 bytesPerSample = 4, zeros }, then chunks {
 * u64 hostNs, u32 frames, u32 flags, i32 samples[frames * channels] }, all little endian. `hostNs` is when the first frame of the chunk
 * left, bit 0 of `flags` marks the first chunk after a start. Samples are left-aligned in 32 bits. A capture that exists and has the same
 * format is continued; for another format the name gets a suffix: .1, .2, ...
 *
 * Further reading: alsa-lib, "PCM External Plugin SDK".
 */
#define _GNU_SOURCE
#include <alsa/asoundlib.h>
#include <alsa/pcm_external.h>
#include <fcntl.h>
#include <math.h>
#include <poll.h>
#include <stdint.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#define LIST_MAX 16
/* Seconds for which rates are remembered. A queue is at most some seconds long, so what left of it left in the last of them. */
#define SPANS 16
#define NS_PER_S 1000000000LL

/* What a test can do to the card while it plays: the file that `control` names, mapped. Missing fields count as 0. */
struct control {
	uint32_t gone;       /* not 0: pulled out. An open card is dead from then on, and none can be opened */
	uint32_t underruns;  /* each time that it grows, the queue is lost as if it had run dry */
	int32_t jump_frames; /* added to the delay that is told: a position that jumps */
	int32_t extra_ppm;   /* added to the crystal's: a rate that is not what was said */
	uint32_t stuck;      /* not 0: the position stands still while sound goes on */
	uint32_t padding;
	int64_t clock_ns;    /* not 0: what the host's clock reads, in place of the true one: a test's own time */
};

/* One second at one rate. */
struct span {
	int64_t at_ns;     /* host time at its begin */
	double frames;     /* that had left by then */
	double per_ns;     /* frames a nanosecond */
};

struct card {
	snd_pcm_ioplug_t io;
	/* As configured. */
	double ppm, wander;
	long buffer_bytes, step_us, fifo, start_us;
	unsigned int rates[LIST_MAX], formats[LIST_MAX], channels[LIST_MAX];
	int rate_count, format_count, channel_count;
	char *capture_path;
	const struct control *control;
	int lock_fd;
	int64_t clock_offset_ns;
	/* The crystal. */
	uint64_t random;
	double wander_ppm;
	int32_t extra_ppm;
	struct span spans[SPANS];
	uint64_t span_count;
	/* The queue: a ring of samples in 32 bits. Frames are counted from the last `prepare`. */
	int32_t *ring;
	uint64_t ring_frames;
	int running, stuck;
	int error; /* -EPIPE from when it has run dry until `prepare`, -ENODEV for good */
	uint64_t written, left, captured, told;
	uint32_t underruns_seen;
	snd_pcm_uframes_t boundary, avail_min;
	/* The capture. */
	int capture_fd;
	int first_chunk;
};

/* ---- the crystal ---- */

static int64_t host_ns(const struct card *card)
{
	struct timespec now;

	if (card->control && card->control->clock_ns) return card->control->clock_ns;
	/* Not clock_gettime(): a library that is preloaded into the player may have replaced it. */
	syscall(SYS_clock_gettime, CLOCK_MONOTONIC_RAW, &now);
	return now.tv_sec * NS_PER_S + now.tv_nsec - card->clock_offset_ns;
}

/* From -1 to 1. The generator is xorshift64 (Marsaglia 2003). */
static double random_fraction(struct card *card)
{
	card->random ^= card->random << 13;
	card->random ^= card->random >> 7;
	card->random ^= card->random << 17;
	return (double)(card->random >> 11) / (double)(1ULL << 52) - 1.0;
}

static void begin_span(struct card *card, int64_t at_ns, double frames)
{
	struct span *span = &card->spans[card->span_count++ % SPANS];

	span->at_ns = at_ns;
	span->frames = frames;
	span->per_ns = card->io.rate * (1 + (card->ppm + card->wander_ppm + card->extra_ppm) / 1e6) / 1e9;
}

static struct span *last_span(struct card *card)
{
	return &card->spans[(card->span_count - 1) % SPANS];
}

/* Frames that the crystal has had time for at `now`, were there enough of them: a fraction belongs to the frame that is leaving. */
static double crystal_frames(struct card *card, int64_t now_ns)
{
	int32_t extra_ppm = card->control ? card->control->extra_ppm : 0;
	struct span *span = last_span(card);

	while (now_ns - span->at_ns >= NS_PER_S && span->frames <= card->written) {
		double limit = 10 * card->wander;
		double frames = span->frames + span->per_ns * NS_PER_S;

		card->wander_ppm += card->wander * random_fraction(card);
		card->wander_ppm = fmax(-limit, fmin(limit, card->wander_ppm));
		begin_span(card, span->at_ns + NS_PER_S, frames);
		span = last_span(card);
	}
	if (extra_ppm != card->extra_ppm && now_ns > span->at_ns) {
		double frames = span->frames + span->per_ns * (now_ns - span->at_ns);

		card->extra_ppm = extra_ppm;
		begin_span(card, now_ns, frames);
		span = last_span(card);
	}
	return span->frames + span->per_ns * (now_ns - span->at_ns);
}

/* When frame `frame` left. */
static int64_t left_at_ns(struct card *card, uint64_t frame)
{
	uint64_t i = card->span_count;
	uint64_t oldest = card->span_count > SPANS ? card->span_count - SPANS : 0;
	const struct span *span;

	do span = &card->spans[--i % SPANS];
	while (i > oldest && span->frames > frame);
	return span->at_ns + llround((frame - span->frames) / span->per_ns);
}

/* ---- the capture ---- */

/* True where `path` is a capture of this format, or new, and was opened. */
static int open_capture(struct card *card, const char *path)
{
	struct {
		char magic[16];
		uint32_t channels, rate, bytes_per_sample, zeros[9];
	} head, wanted = { "TUTTI-CARD-1", card->io.channels, card->io.rate, 4, { 0 } };
	int fd = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
	ssize_t got;

	if (fd < 0) return 1; /* nowhere to write: the card plays on without a capture */
	got = pread(fd, &head, sizeof(head), 0);
	if (got == 0) {
		got = write(fd, &wanted, sizeof(wanted));
		head = wanted;
	}
	if (got == sizeof(head) && memcmp(&head, &wanted, sizeof(head)) == 0) {
		card->capture_fd = fd;
		return 1;
	}
	close(fd);
	return 0;
}

static void begin_capture(struct card *card)
{
	char path[4096];
	int suffix = 0;

	if (!card->capture_path || card->capture_fd >= 0) return;
	snprintf(path, sizeof(path), "%s", card->capture_path);
	while (!open_capture(card, path) && suffix < 1000)
		snprintf(path, sizeof(path), "%s.%d", card->capture_path, ++suffix);
}

static void end_capture(struct card *card)
{
	if (card->capture_fd >= 0) close(card->capture_fd);
	card->capture_fd = -1;
}

/*
 * Writes the frames that have left and are not in the file yet. Not done where a position is asked for: the time that a write takes would
 * come between the position and alsa-lib's stamp of it.
 */
static void capture(struct card *card)
{
	size_t frame_bytes = 4 * card->io.channels;

	while (card->captured < card->left) {
		uint64_t start = card->captured % card->ring_frames;
		uint64_t frames = card->left - card->captured;
		struct { uint64_t host_ns; uint32_t frames, flags; } head;
		struct iovec parts[2];

		if (frames > card->ring_frames - start) frames = card->ring_frames - start;
		/* Short chunks, so that the instants in between follow from the nominal rate, whatever the crystal's is. */
		if (frames > card->io.rate / 100) frames = card->io.rate / 100;
		head.host_ns = left_at_ns(card, card->captured);
		head.frames = frames;
		head.flags = card->first_chunk ? 1 : 0;
		parts[0].iov_base = &head;
		parts[0].iov_len = sizeof(head);
		parts[1].iov_base = card->ring + start * card->io.channels;
		parts[1].iov_len = frames * frame_bytes;
		if (card->capture_fd >= 0 && writev(card->capture_fd, parts, 2) != (ssize_t)(sizeof(head) + frames * frame_bytes))
			end_capture(card); /* a full disk ends the capture and not the music */
		card->first_chunk = 0;
		card->captured += frames;
	}
}

/* ---- the card ---- */

/* Lets go what should have left by now. Gives 0, -ENODEV where the card was pulled out, or -EPIPE where it has run dry. */
static int play(struct card *card)
{
	uint32_t underruns = card->control ? card->control->underruns : 0;
	double frames;

	if (card->error != -ENODEV && card->control && card->control->gone) card->error = -ENODEV;
	if (card->error || !card->running) return card->error;
	card->stuck = card->control && card->control->stuck;
	/* Frame 0 leaves at the first instant: what has left, or has begun to, is one more than the whole frames that have passed. */
	frames = floor(crystal_frames(card, host_ns(card))) + 1;
	if (frames > 0 && frames > card->left) card->left = frames < card->written ? (uint64_t)frames : card->written;
	if (underruns != card->underruns_seen) {
		card->underruns_seen = underruns;
		card->written = card->left;
	}
	if (card->left < card->written) return 0;
	/* A card that is told to drain is meant to end. */
	if (card->io.state == SND_PCM_STATE_DRAINING) return 0;
	return card->error = card->stuck ? 0 : -EPIPE;
}

/* Frames that have left, as the card tells it. */
static uint64_t told_left(struct card *card)
{
	uint64_t step = card->io.rate * card->step_us / 1000000;

	if (!card->stuck) card->told = step && card->left < card->written ? card->left / step * step : card->left;
	return card->told;
}

/* The same, with what the card has fetched ahead. */
static uint64_t told_fetched(struct card *card)
{
	uint64_t fetched = told_left(card) + (card->running ? card->fifo : 0);

	return fetched < card->written ? fetched : card->written;
}

static int card_start(snd_pcm_ioplug_t *io)
{
	struct card *card = io->private_data;

	if (play(card) == -ENODEV) return -ENODEV;
	begin_capture(card);
	card->extra_ppm = card->control ? card->control->extra_ppm : 0;
	card->underruns_seen = card->control ? card->control->underruns : 0;
	card->span_count = 0;
	begin_span(card, host_ns(card) + card->start_us * 1000, 0);
	card->running = 1;
	card->first_chunk = 1;
	return 0;
}

static int card_stop(snd_pcm_ioplug_t *io)
{
	struct card *card = io->private_data;

	play(card);
	if (card->span_count > 0) capture(card);
	card->running = 0;
	return 0;
}

static snd_pcm_sframes_t card_pointer(snd_pcm_ioplug_t *io)
{
	struct card *card = io->private_data;
	int error = play(card);

	/* An error from here would be taken for an underrun. */
	if (error == -ENODEV) snd_pcm_ioplug_set_state(io, SND_PCM_STATE_DISCONNECTED);
	if (error == -EPIPE) return error;
	return told_fetched(card) % card->boundary;
}

static int card_delay(snd_pcm_ioplug_t *io, snd_pcm_sframes_t *delay)
{
	struct card *card = io->private_data;
	int error = play(card);

	if (error < 0) return error;
	*delay = card->written - told_left(card) + (card->control ? card->control->jump_frames : 0);
	return 0;
}

/* The sample at `from`, left-aligned in 32 bits. */
static int32_t widened(snd_pcm_format_t format, const uint8_t *from)
{
	switch (format) {
	case SND_PCM_FORMAT_S16_LE: return (int32_t)((uint32_t)from[0] << 16 | (uint32_t)from[1] << 24);
	case SND_PCM_FORMAT_S16_BE: return (int32_t)((uint32_t)from[1] << 16 | (uint32_t)from[0] << 24);
	case SND_PCM_FORMAT_S32_LE: return (int32_t)(from[0] | (uint32_t)from[1] << 8 | (uint32_t)from[2] << 16 | (uint32_t)from[3] << 24);
	default: /* S24_LE and S24_3LE: the low three bytes hold the sample */
		return (int32_t)((uint32_t)from[0] << 8 | (uint32_t)from[1] << 16 | (uint32_t)from[2] << 24);
	}
}

static snd_pcm_sframes_t card_transfer(snd_pcm_ioplug_t *io, const snd_pcm_channel_area_t *areas, snd_pcm_uframes_t offset,
				       snd_pcm_uframes_t size)
{
	struct card *card = io->private_data;
	int error = play(card);
	unsigned int channel;
	snd_pcm_uframes_t i;

	if (error < 0) return error;
	if (card->span_count > 0) capture(card);
	for (channel = 0; channel < io->channels; channel++) {
		const snd_pcm_channel_area_t *area = &areas[channel];
		size_t stride = area->step / 8;
		const uint8_t *from = (const uint8_t *)area->addr + area->first / 8 + offset * stride;

		for (i = 0; i < size; i++, from += stride)
			card->ring[(card->written + i) % card->ring_frames * io->channels + channel] = widened(io->format, from);
	}
	card->written += size;
	return size;
}

/* Wakes whoever polls four times a period; whether there is room is looked at then. 0 stops it. */
static void set_timer(struct card *card, int64_t every_ns)
{
	struct itimerspec spec = { .it_interval.tv_nsec = every_ns, .it_value.tv_nsec = every_ns };

	timerfd_settime(card->io.poll_fd, 0, &spec, NULL);
}

static int card_prepare(snd_pcm_ioplug_t *io)
{
	struct card *card = io->private_data;
	int64_t quarter_ns = (int64_t)io->period_size * NS_PER_S / io->rate / 4;

	if (play(card) == -ENODEV) return -ENODEV;
	if (card->span_count > 0) capture(card);
	card->running = card->stuck = card->error = 0;
	card->written = card->left = card->captured = card->told = 0;
	card->span_count = 0;
	set_timer(card, quarter_ns < 100000 ? 100000 : quarter_ns > 50000000 ? 50000000 : quarter_ns);
	return 0;
}

static int card_poll_revents(snd_pcm_ioplug_t *io, struct pollfd *fds, unsigned int count, unsigned short *revents)
{
	struct card *card = io->private_data;
	snd_pcm_sframes_t room;
	uint64_t ticks;

	(void)fds, (void)count;
	if (read(io->poll_fd, &ticks, sizeof(ticks)) < 0) ticks = 0;
	room = snd_pcm_avail_update(io->pcm);
	*revents = 0;
	if (room < 0 || io->state == SND_PCM_STATE_DISCONNECTED) *revents = POLLOUT | POLLERR;
	else if (io->state == SND_PCM_STATE_DRAINING || (snd_pcm_uframes_t)room >= card->avail_min) *revents = POLLOUT;
	return 0;
}

static int card_hw_params(snd_pcm_ioplug_t *io, snd_pcm_hw_params_t *params)
{
	struct card *card = io->private_data;

	(void)params;
	end_capture(card);
	free(card->ring);
	card->ring_frames = io->buffer_size + card->fifo;
	card->ring = calloc(card->ring_frames * io->channels, sizeof(*card->ring));
	return card->ring ? 0 : -ENOMEM;
}

static int card_sw_params(snd_pcm_ioplug_t *io, snd_pcm_sw_params_t *params)
{
	struct card *card = io->private_data;

	snd_pcm_sw_params_get_avail_min(params, &card->avail_min);
	snd_pcm_sw_params_get_boundary(params, &card->boundary);
	return 0;
}

static void free_card(struct card *card)
{
	end_capture(card);
	if (card->control) munmap((void *)card->control, sizeof(*card->control));
	if (card->lock_fd >= 0) close(card->lock_fd);
	if (card->io.poll_fd >= 0) close(card->io.poll_fd);
	free(card->capture_path);
	free(card->ring);
	free(card);
}

static int card_close(snd_pcm_ioplug_t *io)
{
	struct card *card = io->private_data;

	play(card);
	if (card->ring && card->span_count > 0) capture(card);
	free_card(card);
	return 0;
}

static const snd_pcm_ioplug_callback_t callbacks = {
	.start = card_start,
	.stop = card_stop,
	.pointer = card_pointer,
	.transfer = card_transfer,
	.close = card_close,
	.hw_params = card_hw_params,
	.sw_params = card_sw_params,
	.prepare = card_prepare,
	.poll_revents = card_poll_revents,
	.delay = card_delay,
};

/* ---- opening ---- */

/* A number, or a list of numbers or of format names. Gives how many, or an error. */
static int read_list(snd_config_t *node, unsigned int *list)
{
	snd_config_iterator_t i, next;
	int count = 0;

	snd_config_for_each(i, next, node) {
		snd_config_t *entry = snd_config_iterator_entry(i);
		const char *text;
		long number;

		if (count == LIST_MAX) return -EINVAL;
		if (snd_config_get_integer(entry, &number) >= 0) list[count++] = number;
		else if (snd_config_get_string(entry, &text) >= 0 && snd_pcm_format_value(text) != SND_PCM_FORMAT_UNKNOWN)
			list[count++] = snd_pcm_format_value(text);
		else return -EINVAL;
	}
	return count > 0 ? count : -EINVAL;
}

/* Maps the control file, and takes the card: it has one player at a time. */
static int take_control(struct card *card, const char *path)
{
	void *mapped;

	card->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
	if (card->lock_fd < 0) return -errno;
	if (lseek(card->lock_fd, 0, SEEK_END) < (off_t)sizeof(struct control) && ftruncate(card->lock_fd, sizeof(struct control)) < 0)
		return -errno;
	mapped = mmap(NULL, sizeof(struct control), PROT_READ, MAP_SHARED, card->lock_fd, 0);
	if (mapped == MAP_FAILED) return -errno;
	card->control = mapped;
	if (card->control->gone) return -ENODEV;
	return flock(card->lock_fd, LOCK_EX | LOCK_NB) < 0 ? -EBUSY : 0;
}

static int read_option(struct card *card, const char *id, snd_config_t *node)
{
	const char *text;
	long seed;

	if (strcmp(id, "comment") == 0 || strcmp(id, "type") == 0 || strcmp(id, "hint") == 0) return 0;
	if (strcmp(id, "ppm") == 0) return snd_config_get_ireal(node, &card->ppm);
	if (strcmp(id, "wander") == 0) return snd_config_get_ireal(node, &card->wander);
	if (strcmp(id, "seed") == 0) {
		int error = snd_config_get_integer(node, &seed);

		card->random = (uint64_t)seed * 0x9E3779B97F4A7C15ULL | 1;
		return error;
	}
	if (strcmp(id, "buffer_bytes") == 0) return snd_config_get_integer(node, &card->buffer_bytes);
	if (strcmp(id, "step_us") == 0) return snd_config_get_integer(node, &card->step_us);
	if (strcmp(id, "fifo") == 0) return snd_config_get_integer(node, &card->fifo);
	if (strcmp(id, "start_us") == 0) return snd_config_get_integer(node, &card->start_us);
	if (strcmp(id, "rates") == 0) return card->rate_count = read_list(node, card->rates);
	if (strcmp(id, "formats") == 0) return card->format_count = read_list(node, card->formats);
	if (strcmp(id, "channels") == 0) return card->channel_count = read_list(node, card->channels);
	if (snd_config_get_string(node, &text) < 0) return -EINVAL;
	if (strcmp(id, "control") == 0) return take_control(card, text);
	if (strcmp(id, "capture") != 0) return -EINVAL;
	card->capture_path = strdup(text);
	return card->capture_path ? 0 : -ENOMEM;
}

static int limit(struct card *card)
{
	static const unsigned int accesses[] = { SND_PCM_ACCESS_RW_INTERLEAVED, SND_PCM_ACCESS_RW_NONINTERLEAVED,
						 SND_PCM_ACCESS_MMAP_INTERLEAVED, SND_PCM_ACCESS_MMAP_NONINTERLEAVED };
	static const unsigned int formats[] = { SND_PCM_FORMAT_S16_LE, SND_PCM_FORMAT_S24_3LE, SND_PCM_FORMAT_S24_LE,
						SND_PCM_FORMAT_S32_LE };
	snd_pcm_ioplug_t *io = &card->io;
	int error = snd_pcm_ioplug_set_param_list(io, SND_PCM_IOPLUG_HW_ACCESS, 4, accesses);

	if (error >= 0)
		error = card->format_count ? snd_pcm_ioplug_set_param_list(io, SND_PCM_IOPLUG_HW_FORMAT, card->format_count, card->formats)
					   : snd_pcm_ioplug_set_param_list(io, SND_PCM_IOPLUG_HW_FORMAT, 4, formats);
	if (error >= 0)
		error = card->rate_count ? snd_pcm_ioplug_set_param_list(io, SND_PCM_IOPLUG_HW_RATE, card->rate_count, card->rates)
					 : snd_pcm_ioplug_set_param_minmax(io, SND_PCM_IOPLUG_HW_RATE, 8000, 192000);
	if (error >= 0)
		error = card->channel_count
				? snd_pcm_ioplug_set_param_list(io, SND_PCM_IOPLUG_HW_CHANNELS, card->channel_count, card->channels)
				: snd_pcm_ioplug_set_param_minmax(io, SND_PCM_IOPLUG_HW_CHANNELS, 1, 8);
	if (error >= 0) error = snd_pcm_ioplug_set_param_minmax(io, SND_PCM_IOPLUG_HW_PERIOD_BYTES, 64, card->buffer_bytes / 2);
	if (error >= 0) error = snd_pcm_ioplug_set_param_minmax(io, SND_PCM_IOPLUG_HW_BUFFER_BYTES, 128, card->buffer_bytes);
	if (error >= 0) error = snd_pcm_ioplug_set_param_minmax(io, SND_PCM_IOPLUG_HW_PERIODS, 2, 1024);
	return error;
}

SND_PCM_PLUGIN_DEFINE_FUNC(tutti_card)
{
	struct card *card;
	snd_config_iterator_t i, next;
	const char *offset = getenv("TUTTI_CARD_CLOCK_OFFSET_NS");
	int error = 0;

	(void)root;
	if (stream != SND_PCM_STREAM_PLAYBACK) return -EINVAL;
	card = calloc(1, sizeof(*card));
	if (!card) return -ENOMEM;
	card->random = 0x9E3779B97F4A7C15ULL | 1;
	card->buffer_bytes = 131072;
	card->capture_fd = card->lock_fd = -1;
	card->boundary = card->avail_min = 1;
	card->clock_offset_ns = offset ? atoll(offset) : 0;
	card->io.poll_fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
	if (card->io.poll_fd < 0) error = -errno;
	snd_config_for_each(i, next, conf) {
		snd_config_t *node = snd_config_iterator_entry(i);
		const char *id;

		if (error < 0 || snd_config_get_id(node, &id) < 0) continue;
		error = read_option(card, id, node);
		if (error == -EINVAL) SNDERR("tutti_card: the option %s is unknown or of the wrong type", id);
	}
	if (error < 0) {
		free_card(card);
		return error;
	}
	card->io.version = SND_PCM_IOPLUG_VERSION;
	card->io.name = "Tutti test card";
	card->io.flags = SND_PCM_IOPLUG_FLAG_MONOTONIC | SND_PCM_IOPLUG_FLAG_BOUNDARY_WA;
	card->io.poll_events = POLLIN; /* a timer is ready for reading; what it means for writing is worked out in poll_revents */
	card->io.callback = &callbacks;
	card->io.private_data = card;
	error = snd_pcm_ioplug_create(&card->io, name, stream, mode);
	if (error < 0) {
		free_card(card);
		return error;
	}
	error = limit(card);
	if (error < 0) {
		snd_pcm_ioplug_delete(&card->io); /* closes, and frees the card */
		return error;
	}
	*pcmp = card->io.pcm;
	return 0;
}
SND_PCM_PLUGIN_SYMBOL(tutti_card);
