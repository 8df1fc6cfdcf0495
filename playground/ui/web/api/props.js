// What Python tells through a component's props, each text once.

/**
 * A function of a prop's name: its content where it is another than the last time, else null.
 * @param {Record<string, string>} props
 */
export function readNewProps(props) {
  /** @type {Record<string, string>} */
  const seen = {};
  /** @type {(name: string) => any} a message of wire.d.ts */
  return (name) => {
    const text = props[name];
    if (!text || text === seen[name]) return null;
    seen[name] = text;
    return JSON.parse(text);
  };
}
