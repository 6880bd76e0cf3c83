/** Entry of the bundle that tests start instead of the whole program: argv is what follows `local`. */
import { runLocalCommand } from '../cli/run-local-command.ts';

await runLocalCommand(process.argv.slice(2));
