#include "twin.h"
static const struct program programs[] = { { 0 } };
const struct subject of_names = { programs, 0 };
