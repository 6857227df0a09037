// Rooms as tests have them.

import type { Room } from "../../src/types.js";
import type { World } from "./world.js";

/** A room that the client is in, with nothing of that left to be looked at. */
export const join = async (world: World, name: string): Promise<Room> => {
    const room = world.client.join(name);
    await world.say(`6,1,${name}`);
    world.told = [];
    await world.sent();
    return room;
};

/** What a room hears from now on. */
export const gather = (room: Room): string[] => {
    const heard: string[] = [];
    room.on("message", (text) => heard.push(text));
    return heard;
};
