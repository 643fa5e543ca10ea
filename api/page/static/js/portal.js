// What a customer's pages do with a script besides every page's.
import { startSeen } from "./seen.js";

startSeen(0, () => {}); // the page itself says that the ticket has changed
