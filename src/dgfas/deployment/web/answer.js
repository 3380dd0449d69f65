// Shows an answer: the decision in words, the score as a bar with the threshold on it, the face's outline.
export const LACKS = {
  no_face: "No face: look into the camera",
  several_faces: "One face only, please",
  cut_off: "Face cut off: move to the middle",
  too_small: "Come closer",
  too_dark: "Too dark: more light on your face",
  unreadable: "The frames cannot be read",
};
const WORDS = {
  live: ["Live", "It looks like a person before the camera."],
  spoof: ["Not live", "It looks like an attack: a print, a screen or a mask."],
};

export class AnswerView {
  constructor(place) {
    place.append(document.querySelector("#answer-template").content.cloneNode(true));
    this.part = (name) => place.querySelector(`.${name}`);
  }

  // Show the decision of an answer; "live" is shown for nothing but the server's "live".
  decide(answer) {
    const [word, why] = WORDS[answer.decision] ?? ["No decision", LACKS[answer.reason] ?? ""];
    const frames = answer.frames > 1 ? ` Of ${answer.frames} frames, ${answer.frames_scored} were scored.` : "";
    this.say(answer.decision, word, why + (answer.decision === "undecided" ? "" : frames));
    this.part("source").textContent =
      `A score of at least ${answer.threshold.value.toFixed(4)} is live. Rule: ${answer.threshold.rule}, on ` +
      `${answer.threshold.data}. Model ${answer.model.name}, SHA-256 ${answer.model.sha256}.`;
  }

  say(decision, word, why = "") {
    const verdict = this.part("verdict");
    if (verdict.dataset.decision !== decision || this.part("word").textContent !== word) {
      verdict.dataset.decision = decision;
      this.part("word").textContent = word;
    }
    if (this.part("why").textContent !== why) this.part("why").textContent = why;
  }

  // Move the bar; `score` null empties it.
  measure(score, threshold) {
    const meter = this.part("meter");
    const known = score !== null;
    meter.dataset.side = known ? (score >= threshold ? "live" : "spoof") : "none";
    this.part("fill").style.width = known ? `${100 * score}%` : "0";
    this.part("value").textContent = known ? `score ${score.toFixed(2)}` : "";
    meter.setAttribute("aria-valuenow", known ? score.toFixed(3) : 0);
    meter.setAttribute(
      "aria-valuetext",
      known ? `${score.toFixed(2)}, the threshold is ${threshold.toFixed(2)}` : "no score",
    );
    const mark = this.part("mark");
    const at = Math.min(Math.max(threshold, 0), 1);
    mark.hidden = false;
    mark.style.left = `${100 * at}%`;
    mark.dataset.at = at < 0.25 ? "left" : at > 0.75 ? "right" : "middle";
    mark.firstElementChild.textContent = `threshold ${threshold.toFixed(2)}`;
  }

  note(text) {
    this.part("seen").textContent = text;
  }
}

// Draw the face's outline into an <svg> that lies over a picture of the answer's width and height.
export function outline(svg, answer) {
  const ellipse = svg.querySelector("ellipse");
  svg.setAttribute("viewBox", answer ? `0 0 ${answer.width} ${answer.height}` : "0 0 1 1");
  const [left, top, right, bottom] = answer?.box ?? [0, 0, 0, 0];
  ellipse.setAttribute("cx", (left + right) / 2);
  ellipse.setAttribute("cy", (top + bottom) / 2);
  ellipse.setAttribute("rx", ((right - left) / 2) * 1.15);
  ellipse.setAttribute("ry", ((bottom - top) / 2) * 1.2);
}
