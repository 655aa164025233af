/*
 * The mixer of a sound card that is not there, as alsa-lib sees a real one: an external control plug-in of type `tutti_mixer`.
 *
 *   ctl_type.tutti_mixer { lib "/path/of/the/library.so" }
 *   ctl.kitchen { type tutti_mixer state "/path" }
 *
 * It has the controls of the table below, two channels each. `state` is a file with their values, 32 bits each, in the order of the table:
 * a test puts values in, and looks what became of them.
 *
 * Further reading: alsa-lib, "External Control Plugin SDK"; include/uapi/sound/tlv.h of Linux, on decibels.
 */
#include <alsa/asoundlib.h>
#include <alsa/control_external.h>
#include <fcntl.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

#define CHANNELS 2

/* `max` 1: a switch. Hundredths of a decibel; a `step` of 0: it does not tell its decibels. */
static const struct control {
	const char *name;
	int max;
	int least;
	int step;
} controls[] = {
	{ "Master Playback Switch", 1, 0, 0 },
	{ "Master Playback Volume", 100, -5000, 50 },
	/* Goes above 0 dB. */
	{ "Digital Playback Volume", 255, -10350, 50 },
	/* Does not reach it. */
	{ "Speaker Playback Volume", 10, -3000, 200 },
	/* Has no step there. */
	{ "Tone Playback Volume", 20, -625, 75 },
	{ "Headphone Playback Volume", 31, 0, 0 },
	{ "Line Out Playback Switch", 1, 0, 0 },
	{ "Mic Playback Switch", 1, 0, 0 },
	{ "Mic Playback Volume", 100, -5000, 50 },
	{ "Capture Switch", 1, 0, 0 },
};
#define CONTROLS (sizeof controls / sizeof *controls)

struct mixer {
	snd_ctl_ext_t ext;
	int32_t (*state)[CHANNELS];
};

static int elem_count(snd_ctl_ext_t *ext)
{
	(void)ext;
	return CONTROLS;
}

static int elem_list(snd_ctl_ext_t *ext, unsigned int offset, snd_ctl_elem_id_t *id)
{
	(void)ext;
	if (offset >= CONTROLS) return -EINVAL;
	snd_ctl_elem_id_set_interface(id, SND_CTL_ELEM_IFACE_MIXER);
	snd_ctl_elem_id_set_name(id, controls[offset].name);
	return 0;
}

static snd_ctl_ext_key_t find_elem(snd_ctl_ext_t *ext, const snd_ctl_elem_id_t *id)
{
	(void)ext;
	for (unsigned int i = 0; i < CONTROLS; i++)
		if (strcmp(controls[i].name, snd_ctl_elem_id_get_name(id)) == 0) return i;
	return SND_CTL_EXT_KEY_NOT_FOUND;
}

static int get_attribute(snd_ctl_ext_t *ext, snd_ctl_ext_key_t key, int *type, unsigned int *acc, unsigned int *count)
{
	(void)ext;
	*type = controls[key].max == 1 ? SND_CTL_ELEM_TYPE_BOOLEAN : SND_CTL_ELEM_TYPE_INTEGER;
	*acc = SND_CTL_EXT_ACCESS_READWRITE;
	if (controls[key].step != 0) *acc |= SND_CTL_EXT_ACCESS_TLV_READ | SND_CTL_EXT_ACCESS_TLV_CALLBACK;
	*count = CHANNELS;
	return 0;
}

static int get_integer_info(snd_ctl_ext_t *ext, snd_ctl_ext_key_t key, long *imin, long *imax, long *istep)
{
	(void)ext;
	*imin = 0;
	*imax = controls[key].max;
	*istep = 1;
	return 0;
}

static int read_integer(snd_ctl_ext_t *ext, snd_ctl_ext_key_t key, long *value)
{
	struct mixer *mixer = ext->private_data;
	for (int i = 0; i < CHANNELS; i++) value[i] = mixer->state[key][i];
	return 0;
}

static int write_integer(snd_ctl_ext_t *ext, snd_ctl_ext_key_t key, long *value)
{
	struct mixer *mixer = ext->private_data;
	int changed = 0;
	for (int i = 0; i < CHANNELS; i++) {
		changed |= mixer->state[key][i] != value[i];
		mixer->state[key][i] = (int32_t)value[i];
	}
	return changed;
}

static int read_event(snd_ctl_ext_t *ext, snd_ctl_elem_id_t *id, unsigned int *mask)
{
	(void)ext;
	(void)id;
	(void)mask;
	return -EAGAIN;
}

static int tlv(snd_ctl_ext_t *ext, snd_ctl_ext_key_t key, int op, unsigned int numid, unsigned int *out, unsigned int size)
{
	(void)ext;
	(void)numid;
	if (op != 0 || size < 4 * sizeof *out) return -EINVAL;
	out[0] = SND_CTL_TLVT_DB_SCALE;
	out[1] = 2 * sizeof *out;
	out[2] = (unsigned int)controls[key].least;
	out[3] = (unsigned int)controls[key].step;
	return 0;
}

static void close_mixer(snd_ctl_ext_t *ext)
{
	struct mixer *mixer = ext->private_data;
	munmap(mixer->state, CONTROLS * sizeof *mixer->state);
	free(mixer);
}

static const snd_ctl_ext_callback_t callbacks = {
	.close = close_mixer,
	.elem_count = elem_count,
	.elem_list = elem_list,
	.find_elem = find_elem,
	.get_attribute = get_attribute,
	.get_integer_info = get_integer_info,
	.read_integer = read_integer,
	.write_integer = write_integer,
	.read_event = read_event,
};

static int map_state(struct mixer *mixer, const char *path)
{
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0) return -errno;
	int result = ftruncate(fd, CONTROLS * sizeof *mixer->state) < 0 ? -errno : 0;
	if (result == 0) {
		void *memory = mmap(NULL, CONTROLS * sizeof *mixer->state, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
		if (memory == MAP_FAILED) result = -errno;
		else mixer->state = memory;
	}
	close(fd);
	return result;
}

SND_CTL_PLUGIN_DEFINE_FUNC(tutti_mixer)
{
	(void)root;
	const char *state = NULL;
	snd_config_t *entry;
	if (snd_config_search(conf, "state", &entry) < 0 || snd_config_get_string(entry, &state) < 0) return -EINVAL;
	struct mixer *mixer = calloc(1, sizeof *mixer);
	if (mixer == NULL) return -ENOMEM;
	int result = map_state(mixer, state);
	if (result < 0) {
		free(mixer);
		return result;
	}
	mixer->ext.version = SND_CTL_EXT_VERSION;
	mixer->ext.card_idx = 0;
	mixer->ext.poll_fd = -1;
	mixer->ext.callback = &callbacks;
	mixer->ext.private_data = mixer;
	mixer->ext.tlv.c = tlv;
	strcpy(mixer->ext.id, "tutti");
	strcpy(mixer->ext.driver, "tutti");
	strcpy(mixer->ext.name, "Test mixer");
	strcpy(mixer->ext.longname, "Test mixer");
	strcpy(mixer->ext.mixername, "Test mixer");
	result = snd_ctl_ext_create(&mixer->ext, name, mode);
	if (result < 0) {
		close_mixer(&mixer->ext);
		return result;
	}
	*handlep = mixer->ext.handle;
	return 0;
}

SND_CTL_PLUGIN_SYMBOL(tutti_mixer);
