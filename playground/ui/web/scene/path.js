/** The path of a scene, whether or not anything has been learnt along it; undefined where there is none. */
export function pathOf(scene) {
  const path = scene?.network?.path ?? scene?.path;
  return path?.table ? path : undefined;
}
