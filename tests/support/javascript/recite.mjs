// Recites 16-bit PCM at 16 kHz over Socket.IO; prints the final transcripts as a JSON list.
//
// node recite.mjs URL KEY FILE (ai4i|dhruva) (websocket|polling)

import { readFile } from "node:fs/promises";
import { io } from "socket.io-client";

const PART = 32_000;
const DEADLINE_MS = 60_000;

const [url, apiKey, path, dialect, transport] = process.argv.slice(2);
const audio = await readFile(path);
const finals = [];

const socket = io(url, {
  transports: [transport],
  reconnection: false,
  query: { apiKey, language: "en", samplingRate: "16000" },
});

function fail(why) {
  console.error(why);
  process.exit(1);
}

const speakers = {
  ai4i: {
    begin: () => socket.emit("start", {}),
    send: (part) => socket.emit("data", part, true, false),
    end: () => socket.emit("data", null, true, true),
    heard: ({ transcript, isFinal }) => isFinal && finals.push(transcript),
  },
  dhruva: {
    begin: () =>
      socket.emit(
        "start",
        [{ taskType: "asr", config: { language: { sourceLanguage: "en" }, samplingRate: 16000 } }],
        { responseTaskSequenceDepth: 1, responseFrequencyInSecs: 1 },
      ),
    send: (part) =>
      socket.emit("data", { audio: [{ audioContent: part }] }, {}, false, false),
    end: () => socket.emit("data", null, {}, true, true),
    heard: ([task], { isIntermediateResult }) =>
      isIntermediateResult || finals.push(task.output[0].source),
  },
};
const speaker = speakers[dialect];

socket.on("connect", speaker.begin);
socket.on("ready", () => {
  for (let place = 0; place < audio.length; place += PART) {
    speaker.send(audio.subarray(place, place + PART));
  }
  speaker.end();
});
socket.on("response", speaker.heard);
socket.on("terminate", () => {
  socket.off("disconnect").disconnect();
  console.log(JSON.stringify(finals));
  process.exit(0);
});
for (const event of ["connect_error", "error", "abort", "disconnect"]) {
  socket.on(event, (reason) => fail(`${event}: ${JSON.stringify(reason?.message ?? reason)}`));
}
setTimeout(() => fail("no answer in time"), DEADLINE_MS);
