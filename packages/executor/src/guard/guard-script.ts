/** The guard's text, inside the bundle. */
import guardScript from './guard.sh?raw';

export { guardScript };
