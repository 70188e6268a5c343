/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tone HZ MILLISECONDS [RATE]: a sine through the first ALSA card, with nothing but the kernel's
 * interface. Mixer controls for playback are opened first.
 */
#include <fcntl.h>
#include <math.h>
#include <sound/asound.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

static void open_mixer(void)
{
    static struct snd_ctl_elem_id ids[256];
    struct snd_ctl_elem_list list = { .space = 256, .pids = ids };
    int fd = open("/dev/snd/controlC0", O_RDWR);

    if (fd < 0 || ioctl(fd, SNDRV_CTL_IOCTL_ELEM_LIST, &list) < 0) {
        perror("mixer");
        return;
    }
    for (unsigned i = 0; i < list.used; i++) {
        struct snd_ctl_elem_info info = { .id = ids[i] };
        struct snd_ctl_elem_value v = { .id = ids[i] };

        if (!strstr((char *)ids[i].name, "Playback") ||
            ioctl(fd, SNDRV_CTL_IOCTL_ELEM_INFO, &info) < 0) {
            continue;
        }
        for (unsigned k = 0; k < info.count && k < 8; k++) {
            v.value.integer.value[k] = info.type == SNDRV_CTL_ELEM_TYPE_BOOLEAN ? 1
                                       : info.value.integer.max;
        }
        if (info.type == SNDRV_CTL_ELEM_TYPE_BOOLEAN || info.type == SNDRV_CTL_ELEM_TYPE_INTEGER) {
            ioctl(fd, SNDRV_CTL_IOCTL_ELEM_WRITE, &v);
        }
    }
    close(fd);
}

static void set_mask(struct snd_pcm_hw_params *p, int n, unsigned bit)
{
    struct snd_mask *m = &p->masks[n - SNDRV_PCM_HW_PARAM_FIRST_MASK];

    memset(m, 0, sizeof(*m));
    m->bits[bit / 32] = 1u << bit % 32;
}

static void set_interval(struct snd_pcm_hw_params *p, int n, unsigned v)
{
    struct snd_interval *i = &p->intervals[n - SNDRV_PCM_HW_PARAM_FIRST_INTERVAL];

    i->min = i->max = v;
    i->integer = 1;
}

int main(int argc, char **argv)
{
    double hz = argc > 1 ? atof(argv[1]) : 440;
    unsigned ms = argc > 2 ? (unsigned)atoi(argv[2]) : 1000, rate = argc > 3 ? (unsigned)atoi(argv[3]) : 48000;
    static struct snd_pcm_hw_params p;
    static int16_t samples[1024 * 2];
    unsigned long left = (unsigned long)rate * ms / 1000, at = 0;
    int fd = open("/dev/snd/pcmC0D0p", O_RDWR);

    if (fd < 0) {
        perror("/dev/snd/pcmC0D0p");
        return 1;
    }
    open_mixer();
    memset(p.masks, 0xff, sizeof(p.masks));
    for (size_t i = 0; i < sizeof(p.intervals) / sizeof(p.intervals[0]); i++) {
        p.intervals[i].max = UINT32_MAX;
    }
    p.rmask = UINT32_MAX;
    p.info = UINT32_MAX;
    set_mask(&p, SNDRV_PCM_HW_PARAM_ACCESS, SNDRV_PCM_ACCESS_RW_INTERLEAVED);
    set_mask(&p, SNDRV_PCM_HW_PARAM_FORMAT, SNDRV_PCM_FORMAT_S16_LE);
    set_interval(&p, SNDRV_PCM_HW_PARAM_CHANNELS, 2);
    set_interval(&p, SNDRV_PCM_HW_PARAM_RATE, rate);
    set_interval(&p, SNDRV_PCM_HW_PARAM_PERIOD_SIZE, 1024);
    set_interval(&p, SNDRV_PCM_HW_PARAM_PERIODS, 8);
    if (ioctl(fd, SNDRV_PCM_IOCTL_HW_PARAMS, &p) < 0 || ioctl(fd, SNDRV_PCM_IOCTL_PREPARE) < 0) {
        perror("parameters");
        return 1;
    }
    while (left) {
        struct snd_xferi x = { .buf = samples, .frames = left < 1024 ? left : 1024 };

        for (unsigned i = 0; i < x.frames; i++, at++) {
            samples[2 * i] = samples[2 * i + 1] = (int16_t)(20000 * sin(2 * M_PI * hz * at / rate));
        }
        if (ioctl(fd, SNDRV_PCM_IOCTL_WRITEI_FRAMES, &x) < 0) {
            perror("write");
            return 1;
        }
        left -= x.frames;
    }
    if (ioctl(fd, SNDRV_PCM_IOCTL_DRAIN) < 0) {
        perror("drain");
    }
    printf("tone rate %u: %lu frames\n", rate, at);
    return 0;
}
