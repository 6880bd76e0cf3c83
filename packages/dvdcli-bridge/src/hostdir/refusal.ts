/** What the plugin refuses; the message goes to the caller as the protocol's `Err`. */
export class Refusal extends Error {
  override readonly name = 'Refusal';
}
