// What Python tells through a component's props, each text once.

/** A function of a prop's name: its content where it is another than the last time, else null. */
export function unread(props) {
  const seen = {};
  return (name) => {
    const text = props[name];
    if (!text || text === seen[name]) return null;
    seen[name] = text;
    return JSON.parse(text);
  };
}
