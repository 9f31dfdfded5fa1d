// Ticks, whatever the page does.
onmessage = (event: MessageEvent<number>) => setInterval(() => postMessage(0), event.data);
