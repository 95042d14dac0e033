/** UUIDv7 (RFC 9562), rising within a millisecond, so that ids sort as records were made. */
let lastMs = 0
let counter = 0

export function newId(nowMs: number = Date.now()): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16))
  if (nowMs > lastMs) {
    lastMs = nowMs
    counter = crypto.getRandomValues(new Uint16Array(1))[0]! & 0x7ff
  } else {
    counter = (counter + 1) & 0xfff
    if (counter === 0) lastMs += 1
  }
  for (let at = 0; at < 6; at++) bytes[at] = Math.floor(lastMs / 2 ** (8 * (5 - at))) & 0xff
  bytes[6] = 0x70 | (counter >> 8)
  bytes[7] = counter & 0xff
  bytes[8] = 0x80 | (bytes[8]! & 0x3f)
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`
}
