// libmodbus 3.1 as Debian ships it. Each call gives its return value and errno together: other code may run before Swift could ask.
#pragma once
#include <errno.h>
#include <modbus.h>
#include <stdint.h>

typedef struct {
  int rc;
  int error;
} sluice_modbus_result;

static inline sluice_modbus_result sluice_modbus_done(int rc) {
  sluice_modbus_result result = {rc, rc < 0 ? errno : 0};
  return result;
}

static inline void sluice_modbus_set_timeout(modbus_t *ctx, uint32_t milliseconds) {
  modbus_set_response_timeout(ctx, milliseconds / 1000, (milliseconds % 1000) * 1000);
}

static inline sluice_modbus_result sluice_modbus_connect(modbus_t *ctx, uint32_t timeout_ms) {
  sluice_modbus_set_timeout(ctx, timeout_ms);
  errno = 0;
  return sluice_modbus_done(modbus_connect(ctx));
}

// Function 3 or 4.
static inline sluice_modbus_result sluice_modbus_read(
    modbus_t *ctx, int unit, int function, int address, int count, uint32_t timeout_ms, uint16_t *words) {
  errno = 0;
  if (modbus_set_slave(ctx, unit) < 0) return sluice_modbus_done(-1);
  sluice_modbus_set_timeout(ctx, timeout_ms);
  return sluice_modbus_done(
      function == 4 ? modbus_read_input_registers(ctx, address, count, words)
                    : modbus_read_registers(ctx, address, count, words));
}

// Function 5.
static inline sluice_modbus_result sluice_modbus_write_bit(modbus_t *ctx, int unit, int address, int on, uint32_t timeout_ms) {
  errno = 0;
  if (modbus_set_slave(ctx, unit) < 0) return sluice_modbus_done(-1);
  sluice_modbus_set_timeout(ctx, timeout_ms);
  return sluice_modbus_done(modbus_write_bit(ctx, address, on));
}

static inline sluice_modbus_result sluice_modbus_receive(modbus_t *ctx, uint8_t *request) {
  errno = 0;
  return sluice_modbus_done(modbus_receive(ctx, request));
}

static inline sluice_modbus_result sluice_modbus_reply(
    modbus_t *ctx, const uint8_t *request, int length, modbus_mapping_t *mapping) {
  errno = 0;
  return sluice_modbus_done(modbus_reply(ctx, request, length, mapping));
}

static inline sluice_modbus_result sluice_modbus_reply_exception(modbus_t *ctx, const uint8_t *request, unsigned int code) {
  errno = 0;
  return sluice_modbus_done(modbus_reply_exception(ctx, request, code));
}
