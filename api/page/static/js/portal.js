// The script of the customers' ticket page.
import { startSeen } from "./seen.js";

startSeen(0, () => {}); // the page itself announces changes of the ticket
