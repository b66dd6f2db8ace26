/**
 * Return a UUIDv7: it begins with the time, and the rest is random.
 *
 * @param {number} at whole milliseconds since 1970
 */
export const uuid7 = (at) => {
  const bytes = crypto.getRandomValues(new Uint8Array(10));
  const random = Array.from(bytes, (byte) => (byte + 256).toString(16).slice(1)).join("");
  const digits = at.toString(16).padStart(12, "0") + random;
  return digits.replace(/(.{8})(....).(...).(...)(.*)/, "$1-$2-7$3-8$4-$5");
};
