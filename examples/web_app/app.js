const socket = new WebSocket(`ws://${location.host}/talk`);
const log = document.querySelector("#log");
const text = document.querySelector("#text");

function show(line) {
  const item = document.createElement("li");
  item.textContent = line;
  log.append(item);
}

socket.onopen = () => {
  show("connected");
  socket.send("hello from the page");
};
socket.onmessage = ({ data }) => show(data);
socket.onclose = () => show("disconnected");
document.querySelector("form").onsubmit = (event) => {
  event.preventDefault();
  socket.send(text.value);
  text.value = "";
};
