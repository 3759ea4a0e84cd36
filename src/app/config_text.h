/*
 * Settings in effect as the YAML that would give them again.
 */
#ifndef SN_APP_CONFIG_TEXT_H
#define SN_APP_CONFIG_TEXT_H

#include "app/config.h"
#include "base/buf.h"

/*
 * Append every setting, also those that are defaults. Failures are in the buffer's status.
 * sn_config_parse of the text gives equal settings. Any thread that may read the config.
 */
void sn_config_write(const struct sn_config *config, struct sn_buf *buf);

#endif
