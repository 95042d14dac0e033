/**
 * A file that the service alone can open: HPKE (RFC 9180) in one shot, base mode, with what every browser has in a
 * secure context: DHKEM(P-256, HKDF-SHA256), HKDF-SHA256, AES-256-GCM. Nothing here is secret but what is thrown away.
 */
type Bytes = Uint8Array<ArrayBuffer>

const P256 = { name: 'ECDH', namedCurve: 'P-256' }
const SHA256 = { name: 'HMAC', hash: 'SHA-256' }
const utf8 = (text: string): Bytes => new TextEncoder().encode(text)
const numbers = (...some: number[]): Bytes => Uint8Array.from(some)

async function together(...parts: BlobPart[]): Promise<Bytes> {
  return new Uint8Array(await new Blob(parts).arrayBuffer())
}

async function mac(key: Bytes, ...message: BlobPart[]): Promise<Bytes> {
  const made = await crypto.subtle.importKey('raw', key, SHA256, false, ['sign'])
  return new Uint8Array(await crypto.subtle.sign('HMAC', made, await together(...message)))
}

/** LabeledExtract and LabeledExpand (§4) of a suite; no more than 32 bytes are wanted anywhere. */
function labeled(suite: Bytes) {
  const head = [utf8('HPKE-v1'), suite]
  return {
    extract: (salt: Bytes, label: string, secret: BlobPart) => mac(salt, ...head, utf8(label), secret),
    expand: async (key: Bytes, label: string, info: Bytes, length: number): Promise<Bytes> =>
      (await mac(key, numbers(0, length), ...head, utf8(label), info, numbers(1))).slice(0, length),
  }
}

// an empty key is none to browsers; HMAC makes as many zeros of it
const NOTHING = new Uint8Array(32)
const KEM = labeled(numbers(75, 69, 77, 0, 16))
const SUITE = labeled(numbers(72, 80, 75, 69, 0, 16, 0, 1, 0, 2))

/** `content` sealed for the owner of a point on P-256 (base64), whose name stands in front of it. Raises where the browser has no WebCrypto. */
export async function seal(content: string, { id, key }: { id: string; key: string }): Promise<Bytes> {
  const head = utf8(`pioneer-sealed-1\n${id}\n`)
  const theirs = Uint8Array.from(atob(key), (letter) => letter.charCodeAt(0))
  const own = await crypto.subtle.generateKey(P256, false, ['deriveBits'])
  const point = await crypto.subtle.exportKey('raw', own.publicKey)
  const shared = await crypto.subtle.deriveBits({ name: 'ECDH', public: await crypto.subtle.importKey('raw', theirs, P256, false, []) }, own.privateKey, 256)
  const secret = await KEM.expand(await KEM.extract(NOTHING, 'eae_prk', shared), 'shared_secret', await together(point, theirs), 32)
  const context = await together(numbers(0), await SUITE.extract(NOTHING, 'psk_id_hash', ''), await SUITE.extract(NOTHING, 'info_hash', head))
  const base = await SUITE.extract(secret, 'secret', '')
  const cipher = await crypto.subtle.importKey('raw', await SUITE.expand(base, 'key', context, 32), 'AES-GCM', false, ['encrypt'])
  const sealed = await crypto.subtle.encrypt({ name: 'AES-GCM', iv: await SUITE.expand(base, 'base_nonce', context, 12) }, cipher, utf8(content))
  return together(head, point, sealed)
}
