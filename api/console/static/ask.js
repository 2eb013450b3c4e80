// Starts GraphiQL at the face that the page names. The session is the browser's affair: no token
// is within reach of a script. What is typed and answered is kept nowhere: not in the browser's
// storage, where it would outlive the session.
"use strict";

(() => {
  const place = document.getElementById("graphiql");
  const { endpoint, purpose } = place.dataset;
  const sample = document.getElementById("sample").textContent;

  const nowhere = {
    length: 0,
    clear() {},
    getItem() {
      return null;
    },
    removeItem() {},
    setItem() {},
  };

  /** Read the results of a subscription, until it completes or nobody reads on. */
  async function* results(body) {
    const reader = body.pipeThrough(new TextDecoderStream()).getReader();
    let text = "";
    try {
      for (;;) {
        const { done, value } = await reader.read();
        if (done) return;
        text += value;
        for (let end = text.indexOf("\n\n"); end >= 0; end = text.indexOf("\n\n")) {
          const lines = text.slice(0, end).split("\n");
          text = text.slice(end + 2);
          if (lines.includes("event: complete")) return;
          const data = lines.find((line) => line.startsWith("data: "));
          if (data !== undefined) yield JSON.parse(data.slice("data: ".length));
        }
      }
    } finally {
      await reader.cancel();
    }
  }

  async function fetcher(asked, options = {}) {
    const answer = await fetch(endpoint, {
      method: "POST",
      headers: {
        ...options.headers,
        accept: "application/graphql-response+json, application/json;q=0.9, text/event-stream;q=0.8",
        "content-type": "application/json",
        "perisai-console": "1",
      },
      body: JSON.stringify(asked),
      credentials: "same-origin",
      redirect: "error",
    });
    const kind = answer.headers.get("content-type") ?? "";
    return kind.startsWith("text/event-stream") ? results(answer.body) : answer.json();
  }

  ReactDOM.createRoot(place).render(
    React.createElement(GraphiQL, {
      fetcher,
      storage: nowhere,
      defaultQuery: sample,
      defaultHeaders: JSON.stringify({ "Perisai-Purpose": purpose }, null, 2),
      isHeadersEditorEnabled: true,
      shouldPersistHeaders: false,
      maxHistoryLength: 0,
    }),
  );
})();
