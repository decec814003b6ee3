/* SPDX-License-Identifier: Apache-2.0 */
/* JSON arrays of strings; see json_list.h. */
#include "base/json_list.h"

#include "base/text.h"

bool json_list_has(const json_t *list, const char *text)
{
	const json_t *item;
	size_t i;

	json_array_foreach(list, i, item)
	{
		if (streq(json_string_value(item), text))
			return true;
	}
	return false;
}
