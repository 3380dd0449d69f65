// The camera: one frame after the other is asked about, and when enough have a good face, all of them together.
import { AnswerView, LACKS, outline } from "./answer.js";
import { askScore } from "./service.js";

const TOGETHER = 8; // frames of one decision
const LONGEST_SIDE = 640; // of what is sent
const PAUSE = 60; // milliseconds between two questions
const STILL = 2000; // milliseconds after which a camera without a new picture is at fault
const PROBLEMS = {
  NotAllowedError: "The browser may not use the camera: allow it beside the address, then start again.",
  NotFoundError: "No camera was found. A photo or a clip can be uploaded.",
  NotReadableError: "The camera is used by another program. Close that, then start again.",
};
export const INSECURE =
  "Browsers give the camera only to pages from this machine (http://127.0.0.1 or http://localhost) or over https. " +
  "A photo or a clip can be uploaded here.";

const by = (id) => document.getElementById(id);
const later = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

export class Camera {
  constructor(model) {
    this.threshold = model.thresholds.frame.value;
    this.together = Math.max(1, Math.min(TOGETHER, model.limits.frames));
    this.view = new AnswerView(by("camera-answer"));
    this.view.measure(null, this.threshold);
    this.canvas = document.createElement("canvas");
    this.stream = null;
    this.frames = [];
    this.epoch = 0; // goes up with everything that is forgotten
    this.starting = false;
    by("camera-button").addEventListener("click", () => (this.stream ? this.stop() : this.start()));
    document.addEventListener("visibilitychange", () => document.hidden && this.forget());
    if (!window.isSecureContext || !navigator.mediaDevices) {
      by("camera-button").hidden = true;
      this.complain(INSECURE);
    }
  }

  complain(problem) {
    by("camera-problem").textContent = problem;
    by("camera-problem").hidden = !problem;
  }

  async start() {
    if (this.starting) return; // clicked twice
    this.starting = true;
    this.complain("");
    let stream = null;
    try {
      const wanted = { width: { ideal: 1280 }, height: { ideal: 960 }, facingMode: "user" };
      stream = await navigator.mediaDevices.getUserMedia({ video: wanted, audio: false });
      this.stream = stream;
      await this.show(stream);
    } catch (error) {
      if (this.stream !== stream) return; // stopped meanwhile
      this.stop();
      this.complain(PROBLEMS[error.name] ?? `The camera cannot be used (${error.message}).`);
    } finally {
      this.starting = false;
    }
  }

  async show(stream) {
    const [track] = stream.getVideoTracks();
    track.addEventListener("ended", () => this.stop());
    track.addEventListener("mute", () => this.forget());
    by("camera-button").textContent = "Stop the camera";
    const video = by("video");
    video.srcObject = stream;
    await video.play();
    if (this.stream !== stream) return; // stopped meanwhile
    by("stage").style.aspectRatio = `${video.videoWidth} / ${video.videoHeight}`;
    by("welcome").hidden = true;
    this.run(stream);
  }

  stop() {
    this.stream?.getTracks().forEach((track) => track.stop());
    this.stream = null;
    by("video").srcObject = null;
    by("welcome").hidden = false;
    by("camera-button").textContent = "Start the camera";
    this.forget();
    this.hint("", "idle");
    outline(by("outline"), null);
  }

  // Take back what was decided, and begin to collect again; an answer that is still to come is not shown.
  forget(word = "No decision yet") {
    this.epoch += 1;
    this.frames = [];
    this.decision = null;
    this.view.say("none", word);
    this.view.measure(null, this.threshold);
    this.view.note("");
  }

  hint(text, tone) {
    by("stage").dataset.tone = tone;
    if (by("hint").textContent !== text) by("hint").textContent = text;
  }

  async run(stream) {
    this.forget("Looking …");
    while (this.stream === stream) {
      try {
        if (!document.hidden) await this.step();
        await later(PAUSE);
      } catch (error) {
        if (this.stream !== stream) return;
        this.forget();
        outline(by("outline"), null);
        this.hint(error.wait ? "The server is busy: trying again" : error.message, "warn");
        await later(1000 * Math.max(1, error.wait ?? 1));
      }
    }
  }

  async step() {
    let epoch = this.epoch;
    const frame = await this.grab();
    if (epoch !== this.epoch) return;
    const answer = await askScore([frame]);
    if (epoch !== this.epoch) return;
    outline(by("outline"), answer);
    if (answer.decision === "undecided") {
      this.forget("No decision");
      this.hint(LACKS[answer.reason] ?? answer.reason, "warn");
      return;
    }
    if (this.decision === "live" && answer.decision !== "live") {
      this.forget();
      epoch = this.epoch;
    }
    this.view.measure(answer.score, this.threshold);
    this.frames.push(frame);
    this.view.note(`${this.frames.length} of ${this.together} frames for ${this.decision ? "the next" : "a"} decision`);
    this.hint(this.decision ? "" : "Hold still", this.decision ?? "good");
    if (this.frames.length < this.together) {
      if (!this.decision) this.view.say("none", "Looking …");
      return;
    }
    const together = await askScore(this.frames.splice(0));
    if (epoch !== this.epoch) return;
    this.decision = together.decision === "undecided" ? null : together.decision;
    this.view.decide(together);
    this.hint("", this.decision ?? "warn");
  }

  async grab() {
    const video = by("video");
    await this.next(video);
    const scale = Math.min(1, LONGEST_SIDE / Math.max(video.videoWidth, video.videoHeight));
    this.canvas.width = Math.round(video.videoWidth * scale);
    this.canvas.height = Math.round(video.videoHeight * scale);
    this.canvas.getContext("2d").drawImage(video, 0, 0, this.canvas.width, this.canvas.height);
    return new Promise((resolve, reject) =>
      this.canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new Error("no picture"))), "image/jpeg", 0.95),
    );
  }

  // Wait for the camera's next picture: one that stands still is not asked about again.
  async next(video) {
    const counted = () => video.mozPaintedFrames ?? video.getVideoPlaybackQuality().totalVideoFrames;
    const before = counted();
    const end = performance.now() + STILL;
    let arrived = false;
    video.requestVideoFrameCallback?.(() => (arrived = true));
    while (video.requestVideoFrameCallback ? !arrived : counted() === before) { // older browsers only count
      if (performance.now() > end) throw new Error("The camera gives no new picture.");
      await later(20);
    }
  }
}
