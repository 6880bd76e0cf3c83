import { InvalidArgumentError, Option } from 'commander';

/** Not with the prefix of the scheduler's settings: a scheduler refuses what it does not know there. */
const API_VARIABLE = 'MESOS_ELASTICSEARCH_API';
const DEFAULT_API = 'http://127.0.0.1:31100';

/** Where the scheduler is; a URL, or the default as text. */
export function apiOption(): Option {
  return new Option('--api <url>', "the scheduler's API")
    .env(API_VARIABLE)
    .default(DEFAULT_API)
    .argParser(parseUrl);
}

function parseUrl(text: string): URL {
  if (URL.canParse(text) && /^https?:$/.test(new URL(text).protocol)) return new URL(text);
  throw new InvalidArgumentError('wanted http://host:port');
}
