// A photo, several frames of one presentation, or a clip from the user's disk.
import { AnswerView, LACKS, outline } from "./answer.js";
import { askScore } from "./service.js";

const PATIENCE = 120_000; // milliseconds: a long clip takes a while to send

const by = (id) => document.getElementById(id);

export class Upload {
  constructor(model) {
    this.limits = model.limits;
    this.view = new AnswerView(by("upload-answer"));
    this.asked = 0;
    by("files").addEventListener("change", () => this.take([...by("files").files]));
    const drop = by("drop");
    for (const [event, over] of [["dragover", true], ["dragleave", false], ["drop", false]]) {
      drop.addEventListener(event, (happened) => {
        happened.preventDefault();
        drop.classList.toggle("over", over);
        if (event === "drop") this.take([...happened.dataTransfer.files]);
      });
    }
  }

  complain(problem) {
    by("upload-problem").textContent = problem;
    by("upload-problem").hidden = !problem;
  }

  async take(files) {
    if (!files.length) return;
    const asked = ++this.asked;
    this.complain("");
    this.show(files);
    by("upload-answer").hidden = true;
    try {
      this.check(files);
      by("upload-answer").hidden = false;
      this.view.say("none", "Looking …");
      const answer = await askScore(files, PATIENCE);
      if (asked !== this.asked) return; // other files were chosen meanwhile
      this.view.decide(answer);
      this.view.measure(answer.score, answer.threshold.value);
      this.view.note(`${files.map((file) => file.name).join(", ")}: ${Math.round(answer.milliseconds.total)} ms`);
      this.mark(answer);
    } catch (error) {
      if (asked !== this.asked) return;
      by("upload-answer").hidden = true;
      this.complain(error.wait ? "The server is busy: try again." : error.message);
    } finally {
      by("files").value = ""; // so that the same file can be chosen again
    }
  }

  check(files) {
    const bytes = files.reduce((sum, file) => sum + file.size, 0);
    if (bytes > this.limits.body_bytes) {
      throw new Error(`Too large: at most ${this.limits.body_bytes / 1e6} MB are taken.`);
    }
    if (files.length > this.limits.frames) throw new Error(`At most ${this.limits.frames} files are taken.`);
  }

  show(files) {
    const pictures = by("pictures");
    pictures.querySelectorAll("img, video").forEach((old) => URL.revokeObjectURL(old.src));
    pictures.classList.toggle("single", files.length === 1);
    pictures.replaceChildren(...files.map((file) => this.figure(file)));
  }

  figure(file) {
    const isVideo = file.type.startsWith("video/");
    const picture = document.createElement(isVideo ? "video" : "img");
    picture.src = URL.createObjectURL(file);
    if (isVideo) Object.assign(picture, { controls: true, muted: true, playsInline: true });
    else picture.alt = file.name;
    picture.setAttribute("aria-label", file.name);
    const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    svg.setAttribute("aria-hidden", "true");
    svg.append(document.createElementNS("http://www.w3.org/2000/svg", "ellipse"));
    svg.toggleAttribute("hidden", true);
    const [figure, box, frame] = ["figure", "div", "div"].map((name) => document.createElement(name));
    frame.className = "frame";
    frame.append(picture, svg);
    box.append(frame);
    figure.append(box, document.createElement("figcaption"));
    return figure;
  }

  // Outline the face in each photo; a clip plays, so it has none.
  mark(answer) {
    by("pictures").querySelectorAll("figure").forEach((figure, number) => {
      const each = answer.each_frame[number];
      if (!each || figure.querySelector("video")) return;
      figure.dataset.tone = each.decision === "undecided" ? "warn" : each.decision;
      const svg = figure.querySelector("svg");
      svg.removeAttribute("hidden");
      outline(svg, each);
      const words = each.decision === "undecided" ? LACKS[each.reason] : `score ${each.score.toFixed(2)}`;
      figure.querySelector("figcaption").textContent = answer.frames > 1 ? words : "";
    });
  }
}
