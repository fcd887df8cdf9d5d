// libmodbus 3.1 as Debian ships it.
#pragma once
#include <modbus.h>
