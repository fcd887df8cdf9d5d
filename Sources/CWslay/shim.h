// wslay 1.1 (RFC 6455 framing) as Debian ships it.
#pragma once
#include <wslay/wslay.h>
